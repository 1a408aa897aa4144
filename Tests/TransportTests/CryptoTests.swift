import Testing

@testable import Transport

@Suite struct CryptoTests {
  // FIPS 180-2 B.1, RFC 4231 case 2.
  @Test func digests() {
    #expect(
      Crypto.hex(Crypto.sha256(Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      Crypto.hex(Crypto.hmacSHA256(key: Array("Jefe".utf8), data: Array("what do ya want for nothing?".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  @Test func comparisonAndRandom() {
    #expect(Crypto.constantTimeEquals([1, 2], [1, 2]))
    #expect(!Crypto.constantTimeEquals([1, 2], [1, 3]))
    #expect(!Crypto.constantTimeEquals([1, 2], [1]))
    #expect(Crypto.randomBytes(32).count == 32)
    #expect(Crypto.randomBytes(32) != Crypto.randomBytes(32))
  }
}
