package import XMPPCore

/// Who counts what the adapter does. Called on the adapter's loop, for every stanza: must be quick.
package protocol XMPPAdapterObserver: Sendable {
  func stanza(_ kind: Stanza.Kind, _ direction: StreamDirection, _ result: StanzaResult, partner: String)
  func streamOpened(_ direction: StreamDirection, partner: String, method: AuthenticationMethod)
  func streamClosed(_ direction: StreamDirection, partner: String, method: AuthenticationMethod)
  /// A stream to the partner did not come about, or was lost.
  func streamFailed(partner: String, stage: StreamFailure.Stage)
  /// An inbound stream ended before it was authenticated, or by an error. `partner` is nil where none is known.
  func inboundFailed(partner: String?, condition: StreamError.Condition)
  /// A connection was closed at once: the listener is at this limit.
  func connectionRefused(limit: String)
}

package enum StreamDirection: String, CaseIterable, Sendable {
  /// Opened by the partner.
  case inbound
  /// Opened by us.
  case outbound
}

package enum StanzaResult: String, CaseIterable, Sendable {
  /// In: handed to the broker, or answered. Out: written.
  case accepted
  /// In: of no use here. Out: no stream to write it on.
  case ignored
  /// In: answered with an error. Out: the partner answered with an error.
  case refused
  /// Out: the partner confirmed that it processed it.
  case confirmed
}
