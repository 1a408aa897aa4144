import COpenSSL

/// Turns OpenSSL's error queue into one line for an operator.
enum TLSFailure {
  /// - Parameter certificate: what verification of the peer's chain found, used if that is what failed.
  static func text(certificate: [String]) -> String {
    let error = ERR_get_error()
    ERR_clear_error()
    guard error != 0 else { return "the handshake failed" }
    guard shim_ERR_is_ssl_reason(error) == 1 else { return reason(of: error) }
    let reason = shim_ERR_get_reason(error)
    switch reason {
    case SSL_R_CERTIFICATE_VERIFY_FAILED where !certificate.isEmpty:
      return certificate.joined(separator: "; ")
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "peer offered no certificate"
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "peer offers no application protocol (ALPN) of ours"
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW:
      return "peer offers no TLS version that is allowed here"
    case SSL_R_NO_SHARED_CIPHER:
      return "peer offers no cipher suite that is allowed here"
    case SSL_R_HTTP_REQUEST, SSL_R_WRONG_VERSION_NUMBER:
      return "peer does not speak TLS here"
    case let alert where alert > SSL_AD_REASON_OFFSET:
      return "peer sent the alert: \(alertName(alert - SSL_AD_REASON_OFFSET))"
    default:
      return self.reason(of: error)
    }
  }

  /// The oldest error on the queue; clears it.
  static func nextReason() -> String {
    let error = ERR_get_error()
    ERR_clear_error()
    return error == 0 ? "no reason given" : reason(of: error)
  }

  private static func alertName(_ alert: Int32) -> String {
    // RFC 8446 §6.2; OpenSSL 3.0 has no text for this one.
    if alert == TLS13_AD_CERTIFICATE_REQUIRED { return "certificate required" }
    guard let text = unsafe SSL_alert_desc_string_long(alert) else { return "\(alert)" }
    return unsafe String(cString: text)
  }

  private static func reason(of error: UInt) -> String {
    guard let text = unsafe ERR_reason_error_string(error) else { return "OpenSSL error \(error)" }
    return unsafe String(cString: text)
  }
}
