/// Limits of a stream that we open. The partner is configured, yet its server may be anybody's.
package struct OutboundLimits: Hashable, Sendable {
  /// From the connection to the moment when stanzas may be sent.
  package var negotiation: Duration = .seconds(30)
  /// How long a stanza may stay unconfirmed after the peer was asked about it. Then the stream counts as dead.
  package var confirmation: Duration = .seconds(15)
  /// How soon the peer is asked again that answered and had not processed everything.
  package var askAgain: Duration = .seconds(1)
  /// Without a stanza sent.
  package var idle: Duration = .seconds(600)
  /// A space is sent into a quiet stream so that nothing on the way forgets it (RFC 6120 §4.6.1).
  package var keepAlive: Duration = .seconds(60)
  /// From our closing tag to the peer's.
  package var closing: Duration = .seconds(5)
  /// Dialback answer for the stream's own pair: the peer has to look us up and to dial us.
  package var dialback: Duration = .seconds(30)

  package init() {}
}

package struct OutboundEnvironment: Sendable {
  /// What the stream is for.
  package enum Purpose: Hashable, Sendable {
    case stanzas
    /// To ask the domain's own server about a key (XEP-0220 §2.1.2); nothing else.
    case verification(DialbackRequest)
  }

  package var pair: DomainPair
  package var purpose: Purpose
  package var policy: StreamPolicy
  package var keys: DialbackKeys
  /// False after a server refused our certificate although it had offered to take it: dialback gets its turn.
  package var tryExternal: Bool
  /// Begins the ids of our pings; not to be guessed by anybody else.
  package var pingPrefix: String
  package var limits: OutboundLimits

  package init(
    pair: DomainPair, purpose: Purpose = .stanzas, policy: StreamPolicy, keys: DialbackKeys,
    tryExternal: Bool = true, pingPrefix: String, limits: OutboundLimits = OutboundLimits()
  ) {
    self.pair = pair
    self.purpose = purpose
    self.policy = policy
    self.keys = keys
    self.tryExternal = tryExternal
    self.pingPrefix = pingPrefix
    self.limits = limits
  }
}
