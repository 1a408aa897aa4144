/// Who may speak to whom on a stream: stanzas from `remote` to `local` inwards, the reverse outwards. Both normalised.
package struct DomainPair: Hashable, Sendable {
  package var local: String
  package var remote: String

  package init(local: String, remote: String) {
    self.local = local
    self.remote = remote
  }

  /// Attributes of what we say to the remote domain.
  var addressing: [(String, String)] {
    [("from", DomainName.onTheWire(local)), ("to", DomainName.onTheWire(remote))]
  }
}

/// How a domain was proved.
package enum AuthenticationMethod: String, Sendable {
  /// SASL EXTERNAL: by its certificate (XEP-0178).
  case external
  /// By a key that the domain's own server confirmed (XEP-0220).
  case dialback
}

/// What the TLS handshake showed of the other side, reduced to what a stream has to decide.
package struct PeerIdentity: Sendable {
  /// Why the certificate proves nothing (`certificate expired on 2026-01-02`, `no certificate`); nil if its chain
  /// leads to a trusted authority.
  package var untrusted: String?
  /// Whether a name in the certificate stands for the domain (RFC 6120 §13.7.2).
  package var names: @Sendable (_ domain: String) -> Bool

  package init(untrusted: String?, names: @escaping @Sendable (String) -> Bool) {
    self.untrusted = untrusted
    self.names = names
  }

  /// Why it does not prove the domain; nil if it does.
  package func objection(to domain: String) -> String? {
    if let untrusted { return untrusted }
    return names(domain) ? nil : "certificate is not valid for \(domain)"
  }
}
