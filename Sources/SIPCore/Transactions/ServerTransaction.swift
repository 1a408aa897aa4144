/// A peer's request and our responses (RFC 3261 §17.2, as mended by RFC 6026), over a reliable transport.
///
///     non-INVITE   trying ─1xx▶ proceeding ─final▶ terminated (Timer J = 0)
///     INVITE       proceeding ─2xx▶ accepted ─Timer L▶ terminated
///                             └─3xx…6xx▶ completed ─ACK, or Timer H▶ terminated
package struct ServerTransaction: Sendable {
  package enum Action: Sendable {
    case send(SIPResponse)
    case start(TransactionTimer)
    case stop(TransactionTimer)
    /// No ACK came for a final response other than 2xx.
    case timedOut
    case terminated
  }

  private enum State: Sendable {
    case trying  // → proceeding, accepted, completed, terminated
    case proceeding  // → accepted, completed, terminated
    case accepted  // → terminated; INVITE only
    case completed  // → terminated; INVITE only
    case terminated
  }

  private var state = State.trying
  private var last: SIPResponse?
  package let isInvite: Bool

  package init(invite isInvite: Bool) { self.isInvite = isInvite }

  /// Whether a final response has been given.
  package var isAnswered: Bool { state != .trying && state != .proceeding }

  /// The same request again. It never reaches the transaction user twice.
  package func receivedRepetition() -> [Action] {
    switch state {
    case .proceeding, .completed: last.map { [.send($0)] } ?? []
    // RFC 6026 §7.1: a repeated INVITE is absorbed; the dialog repeats its own 2xx.
    case .trying, .accepted, .terminated: []
    }
  }

  package mutating func answered(_ response: SIPResponse) -> [Action] {
    guard !isAnswered else { return [] }
    if response.isProvisional {
      state = .proceeding
      last = response
      return [.send(response)]
    }
    guard isInvite else {
      state = .terminated
      return [.send(response), .terminated]
    }
    if response.isSuccess {
      state = .accepted
      last = nil
      return [.send(response), .start(.l)]
    }
    state = .completed
    last = response
    return [.send(response), .start(.h)]
  }

  /// An ACK for a non-2xx. The one for a 2xx is for the dialog.
  package mutating func acknowledged() -> [Action] {
    guard state == .completed else { return [] }
    state = .terminated
    return [.stop(.h), .terminated]
  }

  package mutating func fired(_ timer: TransactionTimer) -> [Action] {
    switch (state, timer) {
    case (.completed, .h):
      state = .terminated
      return [.timedOut, .terminated]
    case (.accepted, .l):
      state = .terminated
      return [.terminated]
    default:
      return []
    }
  }
}
