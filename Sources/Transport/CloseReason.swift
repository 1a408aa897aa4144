/// Why a connection ended. Texts are for the operator, never for the peer.
package enum CloseReason: Hashable, Sendable {
  /// We closed it.
  case local
  /// The peer ended it in the orderly way: close_notify under TLS, FIN in the clear.
  case remote
  /// The connection broke: TCP reset, or FIN without close_notify under TLS (truncation, RFC 8446 §6.1).
  case reset(String)
  /// The TLS handshake or a TLS record failed: the alert and, where it was about a certificate, the cause.
  case tls(String)
  /// A deadline passed.
  case timeout(String)
  /// A limit of ours was passed.
  case limit(String)
}

extension CloseReason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .local: "closed by us"
    case .remote: "closed by the peer"
    case .reset(let text): "connection broken: \(text)"
    case .tls(let text): "TLS: \(text)"
    case .timeout(let text): "timeout: \(text)"
    case .limit(let text): "limit: \(text)"
    }
  }
}
