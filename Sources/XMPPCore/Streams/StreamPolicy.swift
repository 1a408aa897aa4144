/// What the operator asks of streams with one partner.
package struct StreamPolicy: Hashable, Sendable {
  /// Nothing but STARTTLS in the clear.
  package var requireTLS: Bool
  /// Whether dialback counts where the certificate proves nothing (XEP-0220).
  package var allowDialback: Bool
  /// The largest stanza taken once the peer is authenticated (RFC 6120 §13.12).
  package var stanzaBytes: Int

  package init(requireTLS: Bool = true, allowDialback: Bool = false, stanzaBytes: Int = 262_144) {
    self.requireTLS = requireTLS
    self.allowDialback = allowDialback
    self.stanzaBytes = stanzaBytes
  }
}
