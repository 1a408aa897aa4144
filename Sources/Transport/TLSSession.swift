/// What a TLS handshake agreed on.
package struct TLSSession: Hashable, Sendable {
  /// As OpenSSL names it: `TLSv1.2`, `TLSv1.3`.
  package let version: String
  /// As OpenSSL names it: `TLS_AES_128_GCM_SHA256`.
  package let cipher: String
  /// The protocol agreed on by ALPN (RFC 7301), if any.
  package let alpn: String?
  /// The server name indication (RFC 6066 §3), in lower case: what the peer asked for on the server's side, what we
  /// asked for on the client's.
  package let serverName: String?
  /// nil: the peer offered no certificate.
  package let peer: PeerCertificate?

  package init(version: String, cipher: String, alpn: String?, serverName: String?, peer: PeerCertificate?) {
    self.version = version
    self.cipher = cipher
    self.alpn = alpn
    self.serverName = serverName
    self.peer = peer
  }
}
