import BrokerCore
import Testing
import XMPPAdapter
import XMPPCore

/// Two adapters that federate with one another over loopback.
@Suite(.timeLimit(.minutes(1))) struct XMPPFederationTests {
  private func pair(
    _ options: XMPPSide.Options = XMPPSide.Options(), policy: StreamPolicy = StreamPolicy()
  ) async throws -> (XMPPSide, XMPPSide) {
    var plain = options
    plain.answer = { _ in .stored }
    let corp = try await XMPPSide.start("corp.test", plain)
    let partner = try await XMPPSide.start("partner.test", options)
    corp.federate(with: partner, policy, directTLS: options.directTLS)
    partner.federate(with: corp, policy, directTLS: options.directTLS)
    return (corp, partner)
  }

  private func stop(_ sides: XMPPSide...) async throws {
    for side in sides { try await side.adapter.stop().get() }
  }

  enum Way: CaseIterable { case startTLS, directTLS, dialback }

  @Test(arguments: Way.allCases) func conversation(way: Way) async throws {
    var options = XMPPSide.Options()
    options.directTLS = way == .directTLS
    options.trusted = way != .dialback
    let policy = StreamPolicy(allowDialback: !options.trusted)
    let (corp, partner) = try await pair(options, policy: policy)
    corp.deliver(1...500, to: "partner.test")
    partner.deliver(1...3, to: "corp.test")

    var missing: Set = ["m500", "delivered 3"]
    let atPartner = await partner.events {
      if let id = $0.submission?.message.id { missing.remove(id) }
      if $0.delivered == 3 { missing.remove("delivered 3") }
      return missing.isEmpty
    }
    let arrived = atPartner.compactMap(\.submission)
    #expect(arrived.map(\.message.id) == (1...500).map { "m\($0)" })
    #expect(arrived.first?.message.from == Address(user: "a'b", domain: "corp.test"))
    #expect(Set(arrived.map(\.source)).count == 1)
    let confirmed = await corp.events { $0.delivered == 500 }
    #expect(confirmed.compactMap(\.delivered) == Array(1...500))
    #expect(
      confirmed.contains {
        if case .reached(let destination) = $0 { destination.domain == "partner.test" } else { false }
      })
    #expect(atPartner.compactMap(\.delivered) == [1, 2, 3])
    try await stop(corp, partner)
  }

  /// What the broker has not answered is not confirmed, whether by acknowledgement or by ping.
  @Test(arguments: [true, false]) func confirmationWaitsForTheBroker(certificates: Bool) async throws {
    var options = XMPPSide.Options()
    options.trusted = certificates
    options.answer = { $0.message.id == "m2" ? nil : .stored }
    let (corp, partner) = try await pair(options, policy: StreamPolicy(allowDialback: !certificates))
    corp.deliver(1...3, to: "partner.test")
    let arrived = await partner.events { $0.submission?.message.id == "m3" }.compactMap(\.submission)
    let unanswered = try #require(arrived.first { $0.message.id == "m2" })
    // A fourth message goes both ways and proves that the streams are not merely slow.
    partner.deliver([9], to: "corp.test")
    _ = await partner.events { $0.delivered == 9 }
    partner.adapter.perform([.answer(unanswered.id, .stored)])
    let events = await corp.events { $0.delivered == 3 }
    let order = events.compactMap { $0.delivered ?? ($0.submission == nil ? nil : 9) }
    // 9 arrived before 2 was safe, and nothing overtook 2.
    #expect(order.filter { $0 != 9 } == [1, 2, 3])
    #expect(order.firstIndex(of: 9)! < order.firstIndex(of: 2)!)
    try await stop(corp, partner)
  }

  @Test func refusalComesBack() async throws {
    var options = XMPPSide.Options()
    options.answer = { submission in
      submission.message.id == "m2"
        ? .refused(DeliveryError(.itemNotFound, text: "No such user.", detail: "internal")) : .stored
    }
    let (corp, partner) = try await pair(options)
    corp.deliver(1...3, to: "partner.test")
    let events = await corp.events { $0.refusal != nil }
    let (id, error) = try #require(events.last?.refusal)
    #expect(id == 2)
    #expect(error.condition == .itemNotFound)
    #expect(error.text == "No such user.")
    #expect(!error.detail.contains("internal"))
    try await stop(corp, partner)
  }

  @Test func nobodyListens() async throws {
    let corp = try await XMPPSide.start("corp.test")
    let gone = try await XMPPSide.start("partner.test")
    corp.federate(with: gone)
    try await gone.adapter.stop().get()
    corp.deliver([1], to: "partner.test")
    let events = await corp.events { $0.loss != nil }
    let (error, permanence) = try #require(events.last?.loss)
    #expect(error.condition == .remoteServerTimeout)
    #expect(permanence == .transient)
    #expect(error.detail.contains("refused"))
    try await stop(corp)
  }

  @Test func notAPartnerThere() async throws {
    let corp = try await XMPPSide.start("corp.test")
    let partner = try await XMPPSide.start("partner.test")
    corp.federate(with: partner)
    corp.deliver([1], to: "partner.test")
    let events = await corp.events { $0.loss != nil }
    let (error, permanence) = try #require(events.last?.loss)
    #expect(permanence == .permanent)
    #expect(error.detail.contains("policy-violation"))
    try await stop(corp, partner)
  }

  @Test func notAPartnerHere() async throws {
    let corp = try await XMPPSide.start("corp.test")
    corp.deliver([1], to: "stranger.test")
    let events = await corp.events { $0.refusal != nil }
    #expect(events.last?.refusal?.1.condition == .forbidden)
    try await stop(corp)
  }

  @Test func untrustedCertificate() async throws {
    var options = XMPPSide.Options()
    options.trusted = false
    let (corp, partner) = try await pair(options)
    corp.deliver([1], to: "partner.test")
    let events = await corp.events { $0.loss != nil }
    let (error, permanence) = try #require(events.last?.loss)
    #expect(permanence == .permanent)
    #expect(error.detail.hasPrefix("certificate: "))
    try await stop(corp, partner)
  }

  @Test func partnerRestarts() async throws {
    let corp = try await XMPPSide.start("corp.test")
    let first = try await XMPPSide.start("partner.test")
    corp.federate(with: first)
    first.federate(with: corp)
    corp.deliver([1], to: "partner.test")
    _ = await corp.events { $0.delivered == 1 }
    try await first.adapter.stop().get()
    let second = try await XMPPSide.start("partner.test")
    second.federate(with: corp)
    corp.federate(with: second)
    corp.deliver([2], to: "partner.test")
    let events = await corp.events { $0.delivered == 2 }
    #expect(events.last?.delivered == 2)
    try await stop(corp, second)
  }

  /// A stanza that the partner's limit forbids is refused; what is behind it arrives.
  @Test func oversizedMessage() async throws {
    let corp = try await XMPPSide.start("corp.test")
    let partner = try await XMPPSide.start("partner.test")
    corp.federate(with: partner)
    partner.federate(with: corp, StreamPolicy(stanzaBytes: 10_000))
    corp.deliver([1], to: "partner.test", body: String(repeating: "x", count: 10_000))
    let events = await corp.events { $0.refusal != nil }
    #expect(events.last?.refusal?.1.condition == .policyViolation)
    corp.deliver([2], to: "partner.test")
    let delivered = await corp.events { $0.delivered == 2 || $0.loss != nil }
    #expect(delivered.last?.delivered == 2)
    try await stop(corp, partner)
  }

  /// Larger than what a connection holds back: writing it changes whether more may be written.
  @Test func largeMessagesArriveOnce() async throws {
    let (corp, partner) = try await pair()
    corp.deliver(1...3, to: "partner.test", body: String(repeating: "x", count: 200_000))
    corp.deliver([4], to: "partner.test")
    let arrived = await partner.events { $0.submission?.message.id == "m4" }.compactMap(\.submission?.message.id)
    #expect(arrived == ["m1", "m2", "m3", "m4"])
    try await stop(corp, partner)
  }

  /// What the broker sent off before it heard of the loss goes back, until what was lost comes again.
  @Test func nothingOvertakesWhatWasLost() async throws {
    let corp = try await XMPPSide.start("corp.test")
    let gone = try await XMPPSide.start("partner.test")
    corp.federate(with: gone)
    try await gone.adapter.stop().get()
    corp.deliver([1, 2], to: "partner.test")
    _ = await corp.events { $0.loss != nil }
    corp.deliver([3], to: "partner.test")
    let events = await corp.events { $0.deferred != nil }
    #expect(events.last?.deferred == [3])
    // The broker has heard: they go, and fail again.
    corp.deliver(1...3, to: "partner.test")
    #expect(await corp.events { $0.loss != nil || $0.deferred != nil }.last?.loss != nil)
    // A second delivery of the same entry, before the first has an outcome, is one.
    let partner = try await XMPPSide.start("partner.test")
    partner.federate(with: corp)
    corp.federate(with: partner)
    corp.deliver([1, 2, 3, 2, 3, 4], to: "partner.test")
    let arrived = await partner.events { $0.submission?.message.id == "m4" }.compactMap(\.submission?.message.id)
    #expect(arrived == ["m1", "m2", "m3", "m4"])
    try await stop(corp, partner)
  }

  @Test func signalsCross() async throws {
    let (corp, partner) = try await pair()
    corp.deliver([1], to: "partner.test")
    _ = await corp.events { $0.delivered == 1 }
    let signal = Signal(
      from: Address(user: "a", domain: "corp.test"), to: Address(user: "b", domain: "partner.test"), kind: .composing)
    corp.adapter.perform([
      .signal(signal, Destination(adapter: AdapterID("xmpp"), domain: "partner.test"))
    ])
    let events = await partner.events { if case .signalled = $0 { true } else { false } }
    guard case .signalled(let received)? = events.last else { return }
    #expect(received == signal)
    try await stop(corp, partner)
  }

}
