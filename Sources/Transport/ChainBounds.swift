import COpenSSL

/// What a peer's certificates may hold. Each has to be kept as long as the connection lives, taken apart into structures
/// some fifty times as large as the bytes that came; and anybody can make one.
enum ChainBounds {
  /// Long chains have four.
  static let certificates: Int32 = 8
  /// Large ones, of hosting companies, have a hundred.
  static let alternativeNames: Int32 = 256
  /// Parts of a distinguished name.
  static let nameParts: Int32 = 24
  static let extensions: Int32 = 32
  /// Bytes of one extension that is not the alternative names.
  static let extensionBytes: Int32 = 2048

  /// - Parameter store: asked before it verifies.
  static func areKept(by store: OpaquePointer?) -> Bool {
    guard let chain = unsafe X509_STORE_CTX_get0_untrusted(store) else {
      return unsafe isWithin(X509_STORE_CTX_get0_cert(store))
    }
    let count = unsafe shim_sk_X509_num(chain)
    guard count <= certificates else { return false }
    for index in 0..<count where unsafe !isWithin(shim_sk_X509_value(chain, index)) { return false }
    return unsafe isWithin(X509_STORE_CTX_get0_cert(store))
  }

  private static func isWithin(_ certificate: OpaquePointer?) -> Bool {
    guard let certificate = unsafe certificate else { return true }
    guard unsafe X509_NAME_entry_count(X509_get_subject_name(certificate)) <= nameParts,
      unsafe X509_NAME_entry_count(X509_get_issuer_name(certificate)) <= nameParts,
      unsafe X509_get_ext_count(certificate) <= extensions
    else { return false }
    for index in 0..<(unsafe X509_get_ext_count(certificate)) {
      let part = unsafe X509_get_ext(certificate, index)
      if unsafe OBJ_obj2nid(X509_EXTENSION_get_object(part)) == NID_subject_alt_name { continue }
      if unsafe ASN1_STRING_length(X509_EXTENSION_get_data(part)) > extensionBytes { return false }
    }
    var critical: Int32 = 0
    guard let names = unsafe shim_X509_get_subject_alt_names(certificate, &critical) else { return true }
    defer { unsafe GENERAL_NAMES_free(names) }
    return unsafe shim_sk_GENERAL_NAME_num(names) <= alternativeNames
  }
}
