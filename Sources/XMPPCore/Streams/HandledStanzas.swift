/// Counts the stanzas of one stream, and how many of them, from the first on without a gap, are handled: delivered,
/// durable, answered or of no consequence. What is acknowledged never runs ahead of that.
package struct HandledStanzas: Sendable {
  /// The number of the stanza received last; the first is 1.
  package private(set) var received: UInt64 = 0
  /// Every stanza up to this number is handled.
  package private(set) var handled: UInt64 = 0
  private var ahead: Set<UInt64> = []

  package init() {}

  package var pending: UInt64 { received - handled }

  package mutating func receive() -> UInt64 {
    received += 1
    return received
  }

  package mutating func handle(_ number: UInt64) {
    guard number > handled, number <= received else { return }
    guard number == handled + 1 else {
      ahead.insert(number)
      return
    }
    handled = number
    while !ahead.isEmpty, ahead.remove(handled + 1) != nil { handled += 1 }
  }
}
