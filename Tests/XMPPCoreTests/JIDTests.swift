import Testing
import XMPPCore

@Suite struct JIDTests {
  @Test(
    arguments: [
      ("juliet@example.com", "juliet", "example.com", nil),
      ("Juliet@EXAMPLE.com/Balcony", "juliet", "example.com", "Balcony"),
      ("example.com.", "", "example.com", nil),
      ("juliet@example.com/foo bar", "juliet", "example.com", "foo bar"),
      ("juliet@example.com/foo@bar/baz", "juliet", "example.com", "foo@bar/baz"),
      ("foo\\20bar@example.com", "foo\\20bar", "example.com", nil),
      ("fussball@example.com", "fussball", "example.com", nil),
      ("fußball@example.com", "fußball", "example.com", nil),
      ("π@example.com", "π", "example.com", nil),
      ("Σ@example.com/\u{265A}", "σ", "example.com", "\u{265A}"),
      ("ｊｕｌｉｅｔ@example.com", "juliet", "example.com", nil),
      ("user@bücher.example", "user", "xn--bcher-kva.example", nil),
      ("user@BÜCHER.example", "user", "xn--bcher-kva.example", nil),
      ("a_b@x-1.example", "a_b", "x-1.example", nil),
      ("u@h/a\u{00A0}b", "u", "h", "a b"),
      ("u@h/\u{1F468}\u{200D}\u{1F469}", "u", "h", "\u{1F468}\u{200D}\u{1F469}"),
    ] as [(String, String, String, String?)])
  func valid(text: String, local: String, domain: String, resource: String?) throws {
    let jid = try #require(JID(text))
    #expect(Array(jid.local.utf8) == Array(local.utf8))
    #expect(jid.domain == domain)
    #expect(jid.resource == resource)
    #expect(JID(jid.description) == jid)
  }

  @Test(arguments: [
    "", "@", "/", "@example.com", "user@", "user@/res", "example.com/", "user@example.com/",
    "\"juliet\"@example.com", "foo bar@example.com", "a&b@example.com", "a'b@example.com", "a:b@example.com",
    "a<b@example.com", "a>b@example.com", "a@b@example.com", "henry\u{2163}@example.com",
    "\u{265A}@example.com", "juliet@", "juliet@exa mple.com", "juliet@.example.com", "juliet@example..com",
    "juliet@-a.example", "juliet@a-.example", "juliet@example.com/a\u{0}b", "juliet@example.com/a\u{7F}",
    "a\u{200B}b@example.com", "a\u{00AD}b@example.com", "a\u{1}@example.com", "user@[::1]", "u@\u{2665}.example",
    "u@h/\u{FFFE}", "u@h/\u{2028}", "u@exa\u{200D}mple.com",
  ])
  func invalid(text: String) {
    #expect(JID(text) == nil)
  }

  /// RFC 7622 §3.1, N and N+1.
  @Test func lengths() {
    let longest = String(repeating: "a", count: JID.maximumPartLength)
    #expect(JID("\(longest)@h/\(longest)") != nil)
    #expect(JID("\(longest)a@h") == nil)
    #expect(JID("u@h/\(longest)a") == nil)
    let label = String(repeating: "b", count: DomainName.maximumLabelLength)
    #expect(DomainName.normalised("\(label).example") != nil)
    #expect(DomainName.normalised("\(label)b.example") == nil)
    let long = Array(repeating: label, count: 4).joined(separator: ".")
    #expect(DomainName.normalised(String(long.prefix(253))) != nil)
    #expect(DomainName.normalised(String(long.prefix(254))) == nil)
  }

  /// RFC 7622 §3.2.1: U-labels in addresses; what is none stays as it is.
  @Test(arguments: [
    ("xn--bcher-kva.example", "bücher.example"), ("a.xn--bcher-kva", "a.bücher"), ("example.com", "example.com"),
    ("xn--", "xn--"), ("xn---.a", "xn---.a"), ("xn--a.b", "xn--a.b"), ("xn--99999999.b", "xn--99999999.b"),
    ("xn--g6h.b", "xn--g6h.b"), ("axn--b.c", "axn--b.c"),
  ])
  func onTheWire(name: String, written: String) {
    #expect(DomainName.onTheWire(name) == written)
    if name != written { #expect(JID("u@\(name)/r")?.description == "u@\(written)/r") }
  }

  @Test func decodingNeverTraps() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let label = String(
        String.UnicodeScalarView(
          (0..<Int.random(in: 0...59, using: &random)).map { _ in "abcdz0189-".unicodeScalars.randomElement()! }))
      let written = DomainName.onTheWire("xn--\(label)")
      #expect(written == "xn--\(label)" || DomainName.normalised(written) == "xn--\(label)")
    }
  }

  /// Composed and decomposed, and any case, are one address.
  @Test func equality() {
    #expect(JID("jo\u{0308}rg@example.com") == JID("J\u{00D6}RG@Example.COM."))
    #expect(JID("a@xn--bcher-kva.example") == JID("a@bu\u{0308}cher.example"))
    // Cyrillic а is another letter.
    #expect(JID("p\u{0430}ul@example.com") != JID("paul@example.com"))
    #expect(DomainName.normalised("p\u{0430}ypal.example") != DomainName.normalised("paypal.example"))
    #expect(JID("a@b/R") != JID("a@b/r"))
  }

  /// RFC 3492 §7.1 and domains in use.
  @Test(arguments: [
    ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
    ("münchen", "xn--mnchen-3ya"),
    ("παράδειγμα", "xn--hxajbheg2az3al"),
    ("правда", "xn--80aafi6cg"),
    ("例え", "xn--r8jz45g"),
    ("испытание", "xn--80akhbyknj4f"),
  ])
  func aLabels(name: String, ascii: String) {
    #expect(DomainName.normalised("\(name).example") == "\(ascii).example")
    #expect(DomainName.onTheWire("\(ascii).example") == "\(name).example")
  }
}

@Suite struct JIDEscapingTests {
  @Test(arguments: [
    ("d'artagnan", "d\\27artagnan"),
    ("o'malley&sons", "o\\27malley\\26sons"),
    ("a b", "a\\20b"),
    ("\"x\"", "\\22x\\22"),
    ("here's_a_wild_&_/cr%zy/_address", "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address"),
    ("u:n<o>w@corp", "u\\3an\\3co\\3ew\\40corp"),
    ("c:\\net", "c\\3a\\net"),
    ("\\2plus\\2is\\4", "\\2plus\\2is\\4"),
    ("foo\\bar", "foo\\bar"),
    ("foob\\41r", "foob\\41r"),
    ("\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"),
    ("c:\\5commas", "c\\3a\\5c5commas"),
    ("jörg", "jörg"),
    ("\\20x", "\\5c20x"),
  ])
  func roundTrip(user: String, local: String) {
    #expect(JIDEscaping.escaped(user) == local)
    #expect(JIDEscaping.unescaped(local) == user)
  }

  @Test(arguments: ["", " a", "a ", " "])
  func unescapable(user: String) { #expect(JIDEscaping.escaped(user) == nil) }

  @Test func spaceAtAnEndIsNoEscape() {
    #expect(JIDEscaping.unescaped("\\20foo") == "\\20foo")
    #expect(JIDEscaping.unescaped("foo\\20") == "foo\\20")
    #expect(JIDEscaping.unescaped("\\2") == "\\2")
  }
}
