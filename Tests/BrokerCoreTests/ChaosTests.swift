import Testing

@testable import BrokerCore

/// Random events in virtual time, crashes included. Whatever happens: nothing acknowledged is missing at the end, order
/// per (sender, recipient) is kept among first deliveries, and whatever was refused was not also acknowledged.
@Suite struct ChaosTests {
  @Test(arguments: 0..<60)
  func nothingAcknowledgedIsLost(seed: Int) {
    var random = SplitMix64(state: UInt64(seed) &+ 99)
    var options = BrokerOptions()
    options.window = 8
    options.timeToLive = .seconds(1_000_000)
    var h = Harness(options: options)
    h.tell(.reached(Harness.corp), from: Harness.sip)
    h.commit()

    var acknowledged: [String: SubmissionID] = [:]
    var submissions: [(SubmissionID, String)] = []
    var atTheAdapter: [Entry] = []
    var arrived: [String] = []
    var counter = 0

    func arrivedFirst() -> [String] {
      var seen: Set<String> = []
      return arrived.filter { seen.insert($0).inserted }
    }

    for _ in 0..<600 {
      atTheAdapter += h.takeDelivering()
      switch random.next() % 12 {
      case 0...4:
        counter += 1
        let user = "u\(random.next() % 3)"
        let body = "\(user)-\(counter)"
        let id = h.submit(body, id: body, to: Address(user: user, domain: "corp.test"), source: 5)
        submissions.append((id, body))
      case 5...7:
        if !atTheAdapter.isEmpty {
          let entry = atTheAdapter.removeFirst()
          entry.body.map { arrived.append($0) }
          h.tell(.delivered(entry.id), from: Harness.sip)
        }
      case 8: h.commit()
      case 9:
        atTheAdapter = []
        h.tell(.lost(Harness.corp, Harness.unreachable, .transient), from: Harness.sip)
      case 10:
        h.tick(.milliseconds(Int64(random.next() % 3000)))
      default:
        if random.next() % 4 == 0 {
          atTheAdapter = []
          h.crash()
        } else if let entry = atTheAdapter.first {
          let pair = Pair(entry)
          let ids = atTheAdapter.filter { Pair($0) == pair }.map(\.id)
          atTheAdapter.removeAll { ids.contains($0.id) }
          h.tell(.deferred(ids, Harness.unreachable), from: Harness.sip)
        }
      }
      for (id, body) in submissions
      where h.answers[id]?.contains(where: { $0 != .refused(Harness.unreachable) }) == true {
        acknowledged[body] = id
      }
    }
    // Peace at last: everything that is owed goes out.
    for _ in 0..<200 {
      h.commit()
      h.tick(.seconds(60))
      for entry in atTheAdapter + h.takeDelivering() {
        entry.body.map { arrived.append($0) }
        h.tell(.delivered(entry.id), from: Harness.sip)
      }
      atTheAdapter = []
    }
    h.commit()
    #expect(h.broker.count == 0)
    #expect(h.disk.isEmpty)
    #expect(Set(acknowledged.keys).subtracting(arrived).isEmpty, "acknowledged and missing")
    for user in ["u0", "u1", "u2"] {
      let numbers = arrivedFirst().filter { $0.hasPrefix(user) }.compactMap { Int($0.dropFirst(3)) }
      #expect(numbers == numbers.sorted(), "order of \(user)")
    }
    for (_, answers) in h.answers { #expect(answers.count == 1, "one answer for each submission") }
  }
}
