import COpenSSL
import Glibc

/// Reads OpenSSL's certificate objects into values.
enum CertificateReader {
  /// - Parameter failures: what verification found; empty means trusted.
  static func read(_ certificate: OpaquePointer, failures: [String]) -> PeerCertificate {
    var failures = failures
    let names = unsafe AlternativeNames(of: certificate)
    if let problem = names.problem { failures.append(problem) }
    return unsafe PeerCertificate(
      trust: failures.isEmpty ? .trusted : .untrusted(failures.joined(separator: "; ")),
      subject: text(of: X509_get_subject_name(certificate)),
      issuer: text(of: X509_get_issuer_name(certificate)),
      notBefore: seconds(X509_get0_notBefore(certificate)),
      notAfter: seconds(X509_get0_notAfter(certificate)),
      sha256: fingerprint(of: certificate),
      dnsNames: names.dns,
      srvNames: names.srv,
      xmppAddresses: names.xmpp,
      uris: names.uris)
  }

  static func fingerprint(of certificate: OpaquePointer) -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    guard unsafe X509_digest(certificate, EVP_sha256(), &digest, &length) == 1 else { return "" }
    return Crypto.hex(Array(digest.prefix(Int(length))))
  }

  /// RFC 2253 form, control characters escaped.
  static func text(of name: OpaquePointer?) -> String {
    guard let name = unsafe name, let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
    defer { unsafe BIO_free(bio) }
    unsafe shim_X509_NAME_print(bio, name)
    var data: UnsafeMutablePointer<CChar>?
    let length = unsafe shim_BIO_get_mem_data(bio, &data)
    guard length > 0, let data = unsafe data else { return "" }
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: length)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  /// Since 1970; 0 where the certificate's time cannot be read, which verification reports by itself.
  static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var parts = unsafe tm()
    guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
    return unsafe Int64(timegm(&parts))
  }

  /// `2026-01-02`, in UTC.
  static func day(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = unsafe tm()
    guard unsafe gmtime_r(&time, &parts) != nil else { return "an unknown day" }
    let (year, month, day) = unsafe (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
    return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
  }
}
