import Testing

@testable import ConfigCore

@Suite struct ValueTests {
  @Test(
    arguments: [
      ("1.2.3.4", true), ("0.0.0.0", true), ("255.255.255.255", true), ("256.1.1.1", false), ("1.2.3", false),
      ("01.2.3.4", false), ("1.2.3.4.", false), ("1.2.3.4 ", false), ("", false), ("1..2.3", false), ("٣.1.1.1", false),
      ("+1.2.3.4", false),
    ] as [(String, Bool)])
  func ipv4(text: String, valid: Bool) { #expect(Names.isIPv4(text) == valid) }

  @Test(
    arguments: [
      ("::", true), ("::1", true), ("1::", true), ("2001:db8::7", true), ("1:2:3:4:5:6:7:8", true),
      ("::ffff:1.2.3.4", true),
      ("1:2:3:4:5:6:1.2.3.4", true), ("1:2:3:4:5:6:7::", true), ("ABCD::", true),
      (":", false), (":::", false), ("1::2::3", false), ("1:2:3:4:5:6:7:8:9", false), ("1:2:3:4:5:6:7", false),
      ("12345::", false), ("g::", false), ("::1%eth0", false), ("::1.2.3", false), ("1.2.3.4::", false), ("", false),
      ("1:2:3:4:5:6:7:8::", false), ("1.2.3.4", false), ("::1.2.3.4:1", false), (":1:2:3:4:5:6:7", false),
    ] as [(String, Bool)])
  func ipv6(text: String, valid: Bool) { #expect(Names.isIPv6(text) == valid) }

  @Test(
    arguments: [
      ("example.org", "example.org"), ("EXAMPLE.Org", "example.org"),
      ("xn--bcher-kva.example", "xn--bcher-kva.example"),
      ("localhost", "localhost"), ("1.example", "1.example"), ("a-b.c", "a-b.c"),
      ("", nil), (".", nil), ("a.", nil), (".a", nil), ("a..b", nil), ("-a.b", nil), ("a-.b", nil), ("a_b.c", nil),
      ("1.2.3.4", nil), ("a b.c", nil), ("bücher.example", nil), ("a@b", nil), ("*.example", nil),
      ("\u{212A}.example", nil),
    ] as [(String, String?)])
  func domains(text: String, canonical: String?) { #expect(Names.domain(text) == canonical) }

  /// RFC 1035 §2.3.4
  @Test func lengthsOfDomains() {
    func label(_ count: Int) -> String { String(repeating: "a", count: count) }
    func name(_ labels: Int) -> String { String(repeating: "a.", count: labels - 1) + "b" }
    #expect(Names.domain(label(63) + ".b") != nil)
    #expect(Names.domain(label(64) + ".b") == nil)
    #expect(Names.domain(name(127)) != nil)
    #expect(Names.domain(name(128)) == nil)
  }

  @Test(
    arguments: [
      ("127.0.0.1@5353", true), ("::1", true), ("::1@53", true), ("127.0.0.1@0", false), ("127.0.0.1@", false),
      ("127.0.0.1@65536", false), ("127.0.0.1@+1", false), ("dns.test", false), ("@53", false), ("", false),
    ] as [(String, Bool)])
  func nameServers(text: String, valid: Bool) {
    #expect((try? ValueType<String>.nameServer.parse(.string(text))) == (valid ? text : nil))
  }

  @Test(
    arguments: [
      ("0s", Duration.zero, "0ms"), ("30s", .seconds(30), "30s"), ("90s", .seconds(90), "90s"),
      ("60s", .seconds(60), "1m"),
      ("250ms", .milliseconds(250), "250ms"), ("36h", .seconds(129_600), "36h"), ("48h", .seconds(172_800), "2d"),
    ] as [(String, Duration, String)])
  func durations(text: String, value: Duration, canonical: String) throws {
    let type = ValueType<Duration>.duration(.zero...(.seconds(1 << 30)))
    #expect(try type.parse(.string(text)) == value)
    #expect(type.render(value) == quoted(canonical))
  }

  @Test(arguments: [
    "", "s", "30", "30S", "-1s", "+1s", "1.5s", "1h30m", "30 s", " 30s", "1w", "٣s", "99999999999999999999s",
  ])
  func noDurations(text: String) {
    #expect(throws: Complaint.self) { try ValueType<Duration>.duration(.zero...(.seconds(100))).parse(.string(text)) }
  }

  @Test(
    arguments: [
      ("512B", 512, "512B"), ("1024B", 1024, "1KiB"), ("64KiB", 65536, "64KiB"), ("3GiB", 3_221_225_472, "3GiB"),
    ] as [(String, Int, String)])
  func sizes(text: String, value: Int, canonical: String) throws {
    let type = ValueType<Int>.size(0...Int.max)
    #expect(try type.parse(.string(text)) == value)
    #expect(type.render(value) == quoted(canonical))
  }

  @Test func quotingSurvivesTOML() throws {
    let text = "a\"b\\c\n\t\u{1}\u{7F}é👩‍👧"
    let document = try Document(Array("x = \(quoted(text))".utf8))
    guard case .string(let found)? = document.root["x"] else { throw Complaint(problem: "no text", fix: "") }
    #expect(found == text)
  }
}
