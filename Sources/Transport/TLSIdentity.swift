import COpenSSL
import Glibc

/// A certificate chain with its private key, and the domains it is shown for.
package struct TLSIdentity: Sendable {
  /// In lower case. A server shows this identity to peers that ask for one of them (RFC 6066 §3).
  package let domains: [String]
  package let certificateFile: String
  /// The certificate itself, not verified.
  package let certificate: PeerCertificate
  /// Not fatal, but an operator wants to know: expired, key readable by others, domain not named.
  package let warnings: [String]
  let material: KeyMaterial

  /// - Parameters:
  ///   - certificateFile: PEM, the leaf first, then the intermediate certificates.
  ///   - keyFile: PEM, not encrypted. May be the same file.
  package init(certificateFile: String, keyFile: String, domains: [String]) throws(TLSError) {
    let material = try KeyMaterial(certificateFile: certificateFile, keyFile: keyFile)
    let certificate = unsafe CertificateReader.read(material.leaf, failures: ["not verified"])
    self.domains = domains.map { $0.lowercased() }
    self.certificateFile = certificateFile
    self.certificate = certificate
    self.material = material
    self.warnings = Self.warnings(certificate, in: certificateFile, keyFile: keyFile, domains: self.domains)
  }

  private static func warnings(
    _ certificate: PeerCertificate, in file: String, keyFile: String, domains: [String]
  ) -> [String] {
    var warnings: [String] = []
    let now = Int64(time(nil))
    if certificate.notAfter < now {
      warnings.append("\(file): certificate expired on \(CertificateReader.day(certificate.notAfter))")
    }
    if certificate.notBefore > now {
      warnings.append("\(file): certificate is valid only from \(CertificateReader.day(certificate.notBefore))")
    }
    for domain in domains where !certificate.matchesXMPP(domain: domain) && !certificate.matchesSIP(domain: domain) {
      warnings.append("\(file): certificate does not name \(domain)")
    }
    var status = stat()
    if unsafe stat(keyFile, &status) == 0, status.st_mode & (S_IRGRP | S_IROTH) != 0 {
      warnings.append("\(keyFile): private key is readable by group or others")
    }
    return warnings
  }
}

/// OpenSSL's objects of an identity. Immutable after loading; OpenSSL counts references atomically.
@safe final class KeyMaterial: @unchecked Sendable {
  let leaf: OpaquePointer
  let chain: [OpaquePointer]
  let key: OpaquePointer

  init(certificateFile: String, keyFile: String) throws(TLSError) {
    let certificates = unsafe try Self.certificates(in: certificateFile)
    do throws(TLSError) {
      let key = unsafe try Self.key(in: keyFile)
      guard unsafe X509_check_private_key(certificates[0], key) == 1 else {
        ERR_clear_error()
        unsafe EVP_PKEY_free(key)
        throw TLSError("\(keyFile): the key does not belong to the certificate in \(certificateFile)")
      }
      unsafe self.key = key
    } catch {
      for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) }
      throw error
    }
    unsafe leaf = certificates[0]
    unsafe chain = Array(certificates.dropFirst())
  }

  deinit {
    unsafe X509_free(leaf)
    for index in unsafe chain.indices { unsafe X509_free(chain[index]) }
    unsafe EVP_PKEY_free(key)
  }

  /// At least one.
  private static func certificates(in file: String) throws(TLSError) -> [OpaquePointer] {
    let bio = unsafe try open(file)
    defer { unsafe BIO_free(bio) }
    var certificates: [OpaquePointer] = unsafe []
    while let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) { unsafe certificates.append(certificate) }
    // The loop ends with an error on the queue, at the end of the file too.
    ERR_clear_error()
    guard unsafe !certificates.isEmpty else { throw TLSError("\(file): holds no certificate in PEM form") }
    return unsafe certificates
  }

  private static func key(in file: String) throws(TLSError) -> OpaquePointer {
    let bio = unsafe try open(file)
    defer { unsafe BIO_free(bio) }
    var asked = false
    let key = unsafe withUnsafeMutablePointer(to: &asked) { asked in
      // A service has nobody to ask for a pass phrase; OpenSSL would ask the terminal.
      unsafe PEM_read_bio_PrivateKey(
        bio, nil,
        { _, _, _, asked in
          unsafe asked?.assumingMemoryBound(to: Bool.self).pointee = true
          return -1
        }, asked)
    }
    ERR_clear_error()
    if let key = unsafe key { return unsafe key }
    throw TLSError(asked ? "\(file): the private key is encrypted" : "\(file): holds no private key in PEM form")
  }

  private static func open(_ file: String) throws(TLSError) -> OpaquePointer {
    errno = 0
    guard let bio = unsafe BIO_new_file(file, "r") else {
      let reason = errno
      ERR_clear_error()
      throw TLSError("\(file): \(SystemError.text(reason == 0 ? EIO : reason))")
    }
    return unsafe bio
  }
}
