/// The account of one direction: what was sent, what the gateway acknowledged, what arrived and in which order. Says at
/// the end whether the promise was kept.
package struct DeliveryLedger: Sendable {
  package let users: Int
  package private(set) var sent = 0
  package private(set) var acknowledged: Set<Int> = []
  /// Why, in the words of the notice that its sender got: an error condition, a status, a text.
  package private(set) var refusals: [Int: String] = [:]
  package private(set) var arrivals: [Int] = []
  package private(set) var seen: Set<Int> = []
  package private(set) var repeated = 0
  package private(set) var reordered = 0
  /// Repeats of messages that had been acknowledged before they first arrived: nothing excuses these but a crash.
  package private(set) var ids: [Int: String] = [:]
  package private(set) var idsChanged = 0
  private var newest: [Int]

  package init(users: Int) {
    self.users = users
    newest = Array(repeating: -1, count: users)
  }

  package mutating func send() -> Int {
    defer { sent += 1 }
    return sent
  }

  package mutating func acknowledge(_ number: Int) { acknowledged.insert(number) }
  package mutating func refuse(_ number: Int, _ reason: String) { refusals[number] = reason }

  package var refused: Set<Int> { Set(refusals.keys) }

  /// Everything up to this number has arrived, or come back to its sender.
  package func isSettled(upTo end: Int) -> Bool {
    (0..<end).allSatisfy { seen.contains($0) || refusals[$0] != nil }
  }

  /// - Parameter id: what identifies the message on the arriving side; a repeat must carry the same.
  package mutating func arrive(_ number: Int, id: String) {
    arrivals.append(number)
    guard seen.insert(number).inserted else {
      repeated += 1
      if ids[number] != id { idsChanged += 1 }
      return
    }
    ids[number] = id
    let user = number % users
    if number < newest[user] { reordered += 1 }
    newest[user] = max(newest[user], number)
  }

  package var missing: Set<Int> { acknowledged.subtracting(seen).subtracting(refusals.keys) }
}
