import Testing
import XMPPCore

@Suite struct DialbackKeyTests {
  static let crypto = DialbackCrypto(
    sha256: TestCrypto.sha256, hmacSHA256: { TestCrypto.hmac($0, $1) }, constantTimeEquals: { $0 == $1 })

  @Test(arguments: [
    (
      "xmpp.example.com", "example.org", "D60000229F", "s3cr3tf0rd14lb4ck",
      "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"
    ),
    (
      "montague.example", "capulet.example", "D60000229F", "s3cr3tf0rd14lb4ck",
      "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"
    ),
    (
      "capulet.example", "montague.example", "417GAF25", "d14lb4ck43v3r",
      "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"
    ),
  ])
  func vectors(receiving: String, originating: String, id: String, secret: String, key: String) {
    let keys = DialbackKeys(secret: Array(secret.utf8), crypto: Self.crypto)
    #expect(keys.key(receiving: receiving, originating: originating, streamID: id) == key)
    #expect(keys.isValid(key, receiving: receiving, originating: originating, streamID: id))
    #expect(!keys.isValid(key, receiving: originating, originating: receiving, streamID: id))
    #expect(!keys.isValid(String(key.dropLast()), receiving: receiving, originating: originating, streamID: id))
  }

  /// CVE-2016-0756: what one field loses another must not gain.
  @Test func fieldsAreSeparated() {
    let keys = DialbackKeys(secret: Array("secret".utf8), crypto: Self.crypto)
    #expect(
      keys.key(receiving: "a.example", originating: "jabber.example", streamID: "1")
        != keys.key(receiving: "a.examplejab", originating: "ber.example", streamID: "1"))
    #expect(
      keys.key(receiving: "a", originating: "b", streamID: "12")
        != keys.key(receiving: "a", originating: "b1", streamID: "2"))
  }
}
