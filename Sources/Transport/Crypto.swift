import COpenSSL

/// Digests, random bytes and their text forms, from the same OpenSSL that speaks TLS.
package enum Crypto {
  package static func sha256(_ data: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    let done = unsafe EVP_Digest(data, data.count, &digest, nil, EVP_sha256(), nil)
    precondition(done == 1, "SHA-256 is part of every OpenSSL")
    return digest
  }

  package static func hmacSHA256(key: [UInt8], data: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    let done = unsafe HMAC(EVP_sha256(), key, Int32(key.count), data, data.count, &digest, nil)
    unsafe precondition(done != nil, "HMAC with SHA-256 is part of every OpenSSL")
    return digest
  }

  /// From OpenSSL's generator, fit for keys and nonces.
  package static func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = unsafe RAND_bytes(&bytes, Int32(count))
    // Without random numbers nothing that follows is safe: better to stop.
    precondition(done == 1, "the system gives no random numbers")
    return bytes
  }

  /// Takes the same time wherever the first difference is.
  package static func constantTimeEquals(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    unsafe a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
  }

  /// Lower case.
  package static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
