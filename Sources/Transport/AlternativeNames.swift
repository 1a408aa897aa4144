import COpenSSL

/// The identities in a certificate's subjectAltName (RFC 5280 §4.2.1.6).
struct AlternativeNames {
  private(set) var dns: [String] = []
  private(set) var srv: [String] = []
  private(set) var xmpp: [String] = []
  private(set) var uris: [String] = []
  /// Why the names must not be believed.
  private(set) var problem: String?

  // RFC 6120 §13.7.1.4 and RFC 4985 §2.
  private static let xmppAddr = "1.3.6.1.5.5.7.8.5"
  private static let dnsSRV = "1.3.6.1.5.5.7.8.7"

  init(of certificate: OpaquePointer) {
    var critical: Int32 = 0
    guard let names = unsafe shim_X509_get_subject_alt_names(certificate, &critical) else {
      // -1: there is none. Anything else: it is there twice, or is not ASN.1.
      if critical != -1 { problem = "subjectAltName cannot be read" }
      return
    }
    defer { unsafe GENERAL_NAMES_free(names) }
    for index in 0..<(unsafe shim_sk_GENERAL_NAME_num(names)) {
      guard let name = unsafe shim_sk_GENERAL_NAME_value(names, index) else { continue }
      unsafe add(name)
    }
  }

  private mutating func add(_ name: UnsafeMutablePointer<GENERAL_NAME>) {
    var oid = [CChar](repeating: 0, count: 64)
    guard let string = unsafe shim_GENERAL_NAME_get0_string(name, &oid, 64),
      let data = unsafe ASN1_STRING_get0_data(string)
    else { return }
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: Int(ASN1_STRING_length(string)))
    // `bank.example\0.evil.example` is one name to an authority and another to a C program.
    guard unsafe !bytes.contains(0), let text = unsafe String(validating: bytes, as: UTF8.self) else {
      problem = "subjectAltName holds a NUL byte or is not UTF-8"
      return
    }
    switch unsafe name.pointee.type {
    case GEN_DNS: dns.append(text.lowercased())
    case GEN_URI: uris.append(text)
    default:
      let type = String(decoding: oid.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if type == Self.xmppAddr { xmpp.append(text.lowercased()) }
      if type == Self.dnsSRV { srv.append(text.lowercased()) }
    }
  }
}
