/// Durations of RFC 3261 Table 4. Drawbridge speaks over TCP and TLS only, where the transport repeats what is lost:
/// the timers A, E and G do not run and D, I, J and K are zero.
package struct TransactionTimers: Hashable, Sendable {
  /// An estimate of the round trip.
  package var t1: Duration
  /// The longest interval between repetitions of a 2xx (RFC 3261 §13.3.1.4).
  package var t2: Duration

  package init(t1: Duration = .milliseconds(500), t2: Duration = .seconds(4)) {
    self.t1 = t1
    self.t2 = t2
  }

  /// Timers B, F, H, L and M.
  package var timeout: Duration { t1 * 64 }
}

package enum TransactionTimer: Hashable, Sendable {
  /// INVITE client: no response at all, or no final one after it was cancelled.
  case b
  /// Non-INVITE client: no final response.
  case f
  /// INVITE server: no ACK for a final response other than 2xx.
  case h
  /// INVITE server: how long it remembers a 2xx (RFC 6026 §7.1).
  case l
  /// INVITE client: how long it listens for further 2xx (RFC 6026 §7.2).
  case m
}
