import Testing

@testable import XMLStreaming

@Suite struct WriterTests {
  @Test(arguments: [
    ("plain", "plain"), ("<&>\"'", "&lt;&amp;&gt;\"'"), ("]]>", "]]&gt;"), ("a\r\nb\tc", "a&#13;\nb\tc"),
    ("\u{0}\u{B}\u{1F}x", "\u{FFFD}\u{FFFD}\u{FFFD}x"), ("\u{FFFE}\u{FFFF}", "\u{FFFD}\u{FFFD}"),
    ("é\u{FFFD}\u{FEFF}😀", "é\u{FFFD}\u{FEFF}😀"), ("\u{7F}\u{85}", "\u{7F}\u{85}"),
  ])
  func text(text: String, wire: String) {
    #expect(written(XMLElement("a", namespace: "jabber:server", text: text)) == "<a>\(wire)</a>")
  }

  @Test(arguments: [
    ("it's \"<&>\"", "it&apos;s &quot;&lt;&amp;&gt;&quot;"), ("a\t\n\rb", "a&#9;&#10;&#13;b"), ("\u{1}", "\u{FFFD}"),
  ])
  func attributeValues(value: String, wire: String) {
    #expect(
      written(XMLElement("a", namespace: "jabber:server", attributes: [("b", value)])) == "<a b='\(wire)'/>")
  }

  @Test func namespacesAreDeclaredWhereNeeded() {
    let inner = XMLElement("x", namespace: "urn:x").adding(XMLElement("y", namespace: "urn:x"))
      .adding(XMLElement("body", namespace: "jabber:server")).adding(XMLElement("z", namespace: ""))
    #expect(
      written(XMLElement("message", namespace: "jabber:server").adding(inner))
        == "<message><x xmlns='urn:x'><y/><body xmlns='jabber:server'/><z xmlns=''/></x></message>")
    #expect(written(XMLElement("result", namespace: "jabber:server:dialback", text: "k")) == "<db:result>k</db:result>")
    #expect(
      written(
        XMLElement("error", namespace: "http://etherx.jabber.org/streams").adding(
          XMLElement("reset", namespace: "urn:ietf:params:xml:ns:xmpp-streams")))
        == "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
  }

  @Test func attributePrefixes() {
    var element = XMLElement("a", namespace: "jabber:server")
    element.language = "de"
    element.setAttribute("x", namespace: "jabber:server:dialback", "1")
    element.setAttribute("y", namespace: "urn:y", "2")
    element.setAttribute("z", namespace: "urn:z", "3")
    #expect(
      written(element) == "<a xml:lang='de' db:x='1' xmlns:ns0='urn:y' ns0:y='2' xmlns:ns1='urn:z' ns1:z='3'/>")
  }

  @Test(arguments: ["", "a b", "1a", "a:b", "a>", "-a", "a\u{0}", "xmlns='x' a", "/", "\u{D7}"])
  func namesThatAreNoneAreLeftOut(name: String) {
    let bad = XMLElement(name, namespace: "jabber:server", text: "inside")
    #expect(written(bad) == "")
    #expect(written(XMLElement("a", namespace: "jabber:server").adding(bad).adding(text: "x")) == "<a>x</a>")
    #expect(
      written(XMLElement("a", namespace: "jabber:server", attributes: [(name, "1"), ("b", "2")])) == "<a b='2'/>")
  }

  @Test func whatOnlyTheWriterMayWrite() {
    let element = XMLElement(
      "a", namespace: "jabber:server",
      attributes: [
        XMLAttribute("xmlns", "urn:evil"), XMLAttribute("p", namespace: "http://www.w3.org/2000/xmlns/", "urn:evil"),
        XMLAttribute("b", "1"), XMLAttribute("b", "2"),
      ])
    #expect(written(element) == "<a b='1'/>")
    #expect(written(XMLElement("a", namespace: "http://www.w3.org/2000/xmlns/")) == "")
    var out: [UInt8] = []
    XMLWriter.serialize(
      XMLElement("a", namespace: "urn:x"), streamDefault: "", prefixes: ["urn:x": "xml b='"], into: &out)
    #expect(String(decoding: out, as: UTF8.self) == "<a xmlns='urn:x'/>")
  }

  @Test func streamHeaderIsReadBack() {
    let header = XMLWriter.streamHeader(
      defaultNamespace: "jabber:server", prefixes: ["jabber:server:dialback": "db", "urn:evil": "a b"],
      from: "a'<&.example", to: nil, id: "x", language: "en")
    let reading = read([header, Array("<a/>".utf8), XMLWriter.streamFooter])
    guard case .opened(let root, let prefixes)? = reading.events.first else {
      Issue.record("\(reading)")
      return
    }
    #expect(root["from"] == "a'<&.example")
    #expect(root["to"] == nil)
    #expect(root["version"] == "1.0")
    #expect(root.language == "en")
    #expect(prefixes["db"] == "jabber:server:dialback")
    #expect(reading.events.last == .closed)
  }

  @Test func sanitizing() {
    #expect(XMLCharacter.sanitized("all well 😀\n") == "all well 😀\n")
    #expect(XMLCharacter.sanitized("a\u{0}b\u{FFFF}\u{8}") == "a\u{FFFD}b\u{FFFD}\u{FFFD}")
    for value in UInt32(0)...0x11FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      if XMLCharacter.isLegal(scalar) == XMLCharacter.containsIllegal(String(Character(scalar))) {
        Issue.record("U+\(String(value, radix: 16)) judged in two ways")
      }
    }
  }

  @Test func documents() throws {
    let tree = XMLElement("presence", namespace: "urn:ietf:params:xml:ns:pidf", attributes: [("entity", "pres:a@b")])
      .adding("note", namespace: "urn:ietf:params:xml:ns:pidf", text: "é <b>")
    #expect(try XMLDocumentParser.parse(XMLWriter.document(tree), limits: .authenticated) == tree)
  }
}
