/// A request of ours and its responses (RFC 3261 §17.1, as mended by RFC 6026), over a reliable transport.
///
///     non-INVITE   trying ─1xx▶ proceeding ─final▶ terminated
///     INVITE       trying ─1xx▶ proceeding ─2xx▶ accepted ─Timer M▶ terminated
///                                          └─3xx…6xx, acknowledged▶ completed ─Timer D = 0▶ terminated
///
/// The driver sends the request when it creates the transaction and starts `firstTimer`.
package struct ClientTransaction: Sendable {
  package enum Action: Sendable {
    case deliver(SIPResponse)
    /// The ACK for a final response other than 2xx. That for a 2xx is the dialog's own request.
    case acknowledge(SIPRequest)
    case start(TransactionTimer)
    case stop(TransactionTimer)
    /// RFC 3261 §17.1.1.2, §17.1.2.2: the transaction user treats it as a 408.
    case timedOut
    /// Over: can be forgotten.
    case terminated
  }

  private enum State: Sendable {
    case trying  // → proceeding, accepted, terminated
    case proceeding  // → accepted, terminated
    case accepted  // → terminated; INVITE only
    case terminated
  }

  private var state = State.trying
  private var isCancelled = false
  /// Kept for its ACK; `nil` for the other methods, which need nothing of it.
  private let invite: SIPRequest?

  package init(_ request: SIPRequest) { invite = request.method == .invite ? request : nil }

  package var firstTimer: TransactionTimer { invite == nil ? .f : .b }

  /// Whether a CANCEL makes sense: RFC 3261 §9.1 wants a provisional response first and no final one yet.
  package var canBeCancelled: Bool { invite != nil && state == .proceeding && !isCancelled }

  /// A CANCEL was sent. RFC 3261 §9.1: the final response is waited for 64·T1 and no longer.
  package mutating func cancelled() -> [Action] {
    guard canBeCancelled else { return [] }
    isCancelled = true
    return [.start(.b)]
  }

  package mutating func received(_ response: SIPResponse) -> [Action] {
    switch state {
    case .trying, .proceeding:
      let isFirst = state == .trying
      if response.isProvisional {
        state = .proceeding
        // Timer B ends with the first answer; how long a user may take is not the transaction's business.
        return isFirst && invite != nil ? [.stop(.b), .deliver(response)] : [.deliver(response)]
      }
      let running: [Action] = invite == nil ? [.stop(.f)] : isFirst || isCancelled ? [.stop(.b)] : []
      guard let invite else {
        state = .terminated
        return running + [.deliver(response), .terminated]
      }
      if response.isSuccess {
        state = .accepted
        return running + [.start(.m), .deliver(response)]
      }
      state = .terminated
      return running + [.acknowledge(invite.acknowledgement(of: response)), .deliver(response), .terminated]
    case .accepted:
      // RFC 6026 §7.2: repeated, and from other branches of a fork. Each wants its ACK.
      return response.isSuccess ? [.deliver(response)] : []
    case .terminated:
      return []
    }
  }

  package mutating func fired(_ timer: TransactionTimer) -> [Action] {
    switch (state, timer) {
    case (.trying, .b),
      (.proceeding, .b) where isCancelled, (.trying, .f), (.proceeding, .f):
      state = .terminated
      return [.timedOut, .terminated]
    case (.accepted, .m):
      state = .terminated
      return [.terminated]
    default:
      return []
    }
  }
}
