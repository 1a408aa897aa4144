/// Which of the stanzas sent on a stream the peer has processed, and when to ask it.
///
/// The peer is asked with `<r/>` where it has stream management (XEP-0198), otherwise with a ping (XEP-0199) sent
/// behind the stanzas: servers process a stream in order, so the answer, even an error, proves what went before. One
/// question is outstanding at a time, whatever is sent meanwhile: a busy stream asks once for many stanzas.
package struct DeliveryConfirmation: Sendable {
  package enum Method: String, Sendable {
    case acknowledgements
    case pings
  }

  package let method: Method

  /// What the sender calls the stanzas that are not confirmed, oldest first; nil for those nobody waits for.
  private var tokens: [UInt64?] = []
  private var head = 0
  /// Stanzas confirmed since the counting began; those sent are `confirmed + tokens.count - head`.
  private var confirmed: UInt64 = 0
  /// Tokens that are not nil.
  private var awaited = 0
  /// The outstanding question, or the last one.
  private var question: (covers: UInt64, at: StreamTime)?
  private var isOutstanding = false
  /// Since when the oldest awaited stanza has been asked for without any progress.
  private var waitingSince: StreamTime?

  package init(method: Method) { self.method = method }

  private var sent: UInt64 { confirmed + UInt64(tokens.count - head) }
  /// Stanzas that somebody waits for.
  package var unconfirmed: Int { awaited }

  /// A stanza was written to the stream.
  package mutating func sent(_ token: UInt64?) {
    // Pings tell nothing by number, so only what is awaited has to be remembered.
    guard token != nil || method == .acknowledgements else { return }
    tokens.append(token)
    if token != nil { awaited += 1 }
  }

  /// Whether to put the question now. True counts as asked.
  package mutating func ask(now: StreamTime, repeatAfter interval: Duration) -> Bool {
    guard awaited > 0, !isOutstanding else { return false }
    if let question, question.covers >= sent, now < question.at + interval { return false }
    question = (sent, now)
    isOutstanding = true
    if waitingSince == nil { waitingSince = now }
    return true
  }

  /// The ping was answered.
  package mutating func answered(now: StreamTime) -> [UInt64] {
    guard isOutstanding, let question else { return [] }
    isOutstanding = false
    return confirm(question.covers - confirmed, now: now)
  }

  /// `<a h='…'/>` came; nil if the count can not be true: ahead of what was sent, or behind what it was.
  package mutating func acknowledged(_ h: UInt32, now: StreamTime) -> [UInt64]? {
    let advance = UInt64(h &- UInt32(truncatingIfNeeded: confirmed))
    guard advance <= sent - confirmed else { return nil }
    isOutstanding = false
    return confirm(advance, now: now)
  }

  package func isOverdue(now: StreamTime, limit: Duration) -> Bool {
    waitingSince.map { now >= $0 + limit } ?? false
  }

  /// The number of stanzas sent, as XEP-0198 counts.
  package var sentCount: UInt32 { UInt32(truncatingIfNeeded: sent) }

  private mutating func confirm(_ count: UInt64, now: StreamTime) -> [UInt64] {
    guard count > 0 else { return [] }
    let end = head + Int(count)
    let done = tokens[head..<end].compactMap(\.self)
    head = end
    confirmed += count
    awaited -= done.count
    waitingSince = awaited > 0 ? now : nil
    if head == tokens.count {
      tokens.removeAll(keepingCapacity: true)
      head = 0
    } else if head >= 1024 {
      tokens.removeFirst(head)
      head = 0
    }
    return done
  }
}
