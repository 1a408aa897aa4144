/// Limits of a stream that a peer opened. Where the standards leave the number open it is ours.
package struct InboundLimits: Hashable, Sendable {
  /// From the connection to the first proved domain (XEP-0205 §3: unauthenticated connections must not last).
  package var negotiation: Duration = .seconds(60)
  /// Without a byte from the peer, once authenticated.
  package var idle: Duration = .seconds(1800)
  /// From our closing tag to the peer's (RFC 6120 §4.4).
  package var closing: Duration = .seconds(5)
  /// How long `<r/>` waits for stanzas before it to be handled, before it is answered with what is (XEP-0198 §4).
  package var acknowledgementHold: Duration = .seconds(1)
  /// SASL failures before the stream ends (RFC 6120 §6.4.5: at least 2 and not more than 5 retries).
  package var authenticationAttempts = 3
  /// Dialback keys waiting for their confirmation: each makes us dial.
  package var pendingVerifications = 4
  /// Domain pairs that one stream may carry.
  package var domainPairs = 32
  /// Elements that a peer may send before it has proved anything. Negotiation takes fewer than ten, each of
  /// `confirmedKeys` is one; the rest would only make us answer.
  package var elementsBeforeProof = 80
  /// Keys we confirm for a peer that has proved nothing.
  package var confirmedKeys = 64
  /// Bytes of a dialback key: 64 by XEP-0185, others are opaque to us.
  package var dialbackKeyBytes = 512

  package init() {}
}

/// What streams ask of the gateway they run in.
package struct InboundEnvironment {
  package var servedDomains: Set<String>
  /// nil: no partner.
  package var policy: (_ domain: String) -> StreamPolicy?
  package var keys: DialbackKeys
  /// Unpredictable, never given twice (RFC 6120 §4.7.3; dialback keys rest on it).
  package var nextStreamID: () -> String
  package var limits: InboundLimits

  package init(
    servedDomains: Set<String>, policy: @escaping (String) -> StreamPolicy?, keys: DialbackKeys,
    nextStreamID: @escaping () -> String, limits: InboundLimits = InboundLimits()
  ) {
    self.servedDomains = servedDomains
    self.policy = policy
    self.keys = keys
    self.nextStreamID = nextStreamID
    self.limits = limits
  }
}
