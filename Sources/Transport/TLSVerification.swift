import COpenSSL

/// What the verification of one peer's chain found. OpenSSL goes on after an error, so that an operator learns of all
/// of them at once; nothing that was found is ever taken back.
struct TLSVerification {
  /// OpenSSL has looked at the chain. Without that nobody is trusted.
  var ran = false
  var failures: [String] = []
  /// The first error's code, for the alert.
  var firstError: Int32 = X509_V_OK

  mutating func add(_ error: Int32, depth: Int32, certificate: OpaquePointer?) {
    if firstError == X509_V_OK { firstError = error }
    let text = unsafe Self.text(error, depth: depth, certificate: certificate)
    if !failures.contains(text) { failures.append(text) }
  }

  private static func text(_ error: Int32, depth: Int32, certificate: OpaquePointer?) -> String {
    let whose = unsafe depth == 0 ? "certificate" : "issuer's certificate (\(subject(certificate)))"
    switch error {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      let end = unsafe certificate.map { unsafe CertificateReader.seconds(X509_get0_notAfter($0)) } ?? 0
      return "\(whose) expired on \(CertificateReader.day(end))"
    case X509_V_ERR_CERT_NOT_YET_VALID:
      let start = unsafe certificate.map { unsafe CertificateReader.seconds(X509_get0_notBefore($0)) } ?? 0
      return "\(whose) is valid only from \(CertificateReader.day(start))"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "certificate is self-signed"
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return unsafe "unknown CA (\(subject(certificate)))"
    // The second always follows the first.
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return unsafe "unknown CA (\(certificate.map { unsafe issuer($0) } ?? ""))"
    default:
      let reason = unsafe String(cString: X509_verify_cert_error_string(Int(error)))
      return "\(whose): \(reason)"
    }
  }

  private static func subject(_ certificate: OpaquePointer?) -> String {
    unsafe certificate.map { unsafe CertificateReader.text(of: X509_get_subject_name($0)) } ?? ""
  }

  private static func issuer(_ certificate: OpaquePointer) -> String {
    unsafe CertificateReader.text(of: X509_get_issuer_name(certificate))
  }
}

/// Where an `SSL` keeps its `TLSEngine`.
let tlsEngineIndex = shim_SSL_get_ex_new_index()

private func verifyingEngine(of store: OpaquePointer?) -> TLSEngine? {
  guard let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
    let pointer = unsafe SSL_get_ex_data(OpaquePointer(ssl), tlsEngineIndex)
  else { return nil }
  return unsafe Unmanaged<TLSEngine>.fromOpaque(pointer).takeUnretainedValue()
}

/// Verifies the peer's chain with the context's trust store, for any purpose. Fails the handshake only where trust is
/// required, and where the chain is larger than anybody needs.
let verifyPeerChain: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { store, _ in
  guard let engine = unsafe verifyingEngine(of: store) else { return 0 }
  guard unsafe ChainBounds.areKept(by: store) else {
    engine.verification.failures.append("certificates with more names or parts than are taken here")
    unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG)
    return 0
  }
  unsafe X509_STORE_CTX_set_verify_cb(store) { good, store in
    // Also called for each certificate that is good.
    guard good == 0, let engine = unsafe verifyingEngine(of: store) else { return 1 }
    unsafe engine.verification.add(
      X509_STORE_CTX_get_error(store), depth: X509_STORE_CTX_get_error_depth(store),
      certificate: X509_STORE_CTX_get_current_cert(store))
    return 1
  }
  let result = unsafe X509_verify_cert(store)
  if result != 1, engine.verification.failures.isEmpty {
    let error = unsafe X509_STORE_CTX_get_error(store)
    unsafe engine.verification.add(error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error, depth: 0, certificate: nil)
  }
  engine.verification.ran = true
  guard engine.context.requireTrusted, !engine.verification.failures.isEmpty else { return 1 }
  unsafe X509_STORE_CTX_set_error(store, engine.verification.firstError)
  return 0
}
