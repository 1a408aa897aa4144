/// The cryptography that dialback needs; a core has none of its own.
package struct DialbackCrypto: Sendable {
  package var sha256: @Sendable (_ data: [UInt8]) -> [UInt8]
  package var hmacSHA256: @Sendable (_ key: [UInt8], _ data: [UInt8]) -> [UInt8]
  package var constantTimeEquals: @Sendable (_ a: [UInt8], _ b: [UInt8]) -> Bool

  package init(
    sha256: @escaping @Sendable ([UInt8]) -> [UInt8],
    hmacSHA256: @escaping @Sendable (_ key: [UInt8], _ data: [UInt8]) -> [UInt8],
    constantTimeEquals: @escaping @Sendable ([UInt8], [UInt8]) -> Bool
  ) {
    self.sha256 = sha256
    self.hmacSHA256 = hmacSHA256
    self.constantTimeEquals = constantTimeEquals
  }
}

/// Makes and checks dialback keys (XEP-0185): no state but the secret, so that the process that answers a
/// verification need not be told of the stream that sent the key.
package struct DialbackKeys: Sendable {
  /// The HMAC key: the secret hashed and written in hexadecimal (XEP-0185 §2, as its test vector has it).
  private let hmacKey: [UInt8]
  private let crypto: DialbackCrypto

  /// `secret`: at least 32 bytes of randomness, made anew at each start or shared by a cluster.
  package init(secret: [UInt8], crypto: DialbackCrypto) {
    self.crypto = crypto
    self.hmacKey = hexadecimal(crypto.sha256(secret))
  }

  /// The key for a stream from `originating` to `receiving` that the receiving server named `streamID`.
  package func key(receiving: String, originating: String, streamID: String) -> String {
    String(decoding: bytes(receiving: receiving, originating: originating, streamID: streamID), as: UTF8.self)
  }

  package func isValid(_ key: String, receiving: String, originating: String, streamID: String) -> Bool {
    crypto.constantTimeEquals(
      Array(key.utf8), bytes(receiving: receiving, originating: originating, streamID: streamID))
  }

  private func bytes(receiving: String, originating: String, streamID: String) -> [UInt8] {
    // No domain holds a space, so that the fields cannot run into one another (CVE-2016-0756).
    hexadecimal(crypto.hmacSHA256(hmacKey, Array("\(receiving) \(originating) \(streamID)".utf8)))
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
  let digits = Array("0123456789abcdef".utf8)
  return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
}
