/// How TLS is spoken. Not optional, whatever is set here: no renegotiation, no compression, no early data, security
/// level 2 (RSA and DH of 2048 bits, no SHA-1 signatures; RFC 9325 §4.5).
package struct TLSOptions: Hashable, Sendable {
  package enum Version: Hashable, Sendable, Comparable {
    case v1_2, v1_3
  }

  /// RFC 9325 §3.1.1.
  package var minimumVersion: Version
  /// Protocols in order of preference (RFC 7301). A server accepts a client that offers none of its own accord, and
  /// refuses one that offers only others (§3.2).
  package var alpn: [String]
  /// A peer without a trusted certificate fails the handshake. Otherwise the handshake goes through and
  /// `TLSSession.peer` tells; the owner decides, for instance for dialback.
  package var requireTrusted: Bool
  /// Servers only: whether to ask clients for a certificate.
  package var requestClientCertificate: Bool
  /// TLS 1.2 cipher suites in OpenSSL's notation, in order of preference.
  package var ciphers: String
  /// Session tickets of a server (RFC 8446 §2.2). Only heeded where no client certificate is asked for: a resumed session
  /// carries the leaf certificate and an old verdict but not the chain, so that trust could not be judged anew.
  package var sessionTickets: Bool

  package init(
    minimumVersion: Version = .v1_2, alpn: [String] = [], requireTrusted: Bool = false,
    requestClientCertificate: Bool = true, ciphers: String = TLSOptions.defaultCiphers, sessionTickets: Bool = true
  ) {
    self.minimumVersion = minimumVersion
    self.alpn = alpn
    self.requireTrusted = requireTrusted
    self.requestClientCertificate = requestClientCertificate
    self.ciphers = ciphers
    self.sessionTickets = sessionTickets
  }

  /// RFC 9325 §4.2: forward secrecy and AEAD. AES-128 first: as safe here and cheaper.
  package static let defaultCiphers = "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20"
}

/// Which certification authorities are believed.
package enum TrustStore: Hashable, Sendable {
  /// The system's, usually /etc/ssl/certs.
  case system
  /// A PEM file.
  case file(String)
  /// None: every peer is untrusted.
  case none
}
