import Testing

@testable import XMLStreaming

@Suite struct StreamParserTests {
  @Test func aStreamOpensCarriesStanzasAndCloses() {
    let reading = readStanzas("<message to='u@b.example'><body>hi</body></message> \n<presence/></stream:stream>\n")
    #expect(reading.error == nil)
    #expect(reading.events.count == 4)
    guard case .opened(let header, let prefixes) = reading.events[0] else {
      Issue.record("no header")
      return
    }
    #expect(header.isNamed("stream", "http://etherx.jabber.org/streams"))
    #expect(header["from"] == "a.example")
    #expect(header.language == "en")
    #expect(header.content.isEmpty)
    #expect(
      prefixes == [
        "": "jabber:server", "stream": "http://etherx.jabber.org/streams", "db": "jabber:server:dialback",
      ])
    #expect(reading.elements[0].isNamed("message", "jabber:server"))
    #expect(reading.elements[0].child("body", "jabber:server")?.text == "hi")
    #expect(reading.elements[1] == XMLElement("presence", namespace: "jabber:server"))
    #expect(reading.events[3] == .closed)
  }

  @Test func contentKeepsItsOrder() {
    let element = readStanzas("<a>1<b/>2<![CDATA[<&]]>&amp;&#x1F600;<c/>3</a>").elements.first
    #expect(
      element?.content == [
        .text("1"), .element(XMLElement("b", namespace: "jabber:server")), .text("2<&&😀"),
        .element(XMLElement("c", namespace: "jabber:server")), .text("3"),
      ])
  }

  @Test func whiteSpaceInFrontOfTheDeclarationIsAKeepAlive() {
    #expect(read(" \r\n\t" + streamHeader).events.count == 1)
    #expect(bytewise(Array((" \n" + streamHeader).utf8)).events.count == 1)
  }

  @Test func aStreamMayDoWithoutDeclarationOrEnd() {
    #expect(read("<s xmlns='x'><a/>").elements.count == 1)
    #expect(read("<s xmlns='x'/>").events.count == 2)
    #expect(read("<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<s xmlns='x'>").events.count == 1)
  }

  @Test func lineEndsAreNormalised() {
    #expect(readStanzas("<a>1\r\n2\r3</a>").elements.first?.text == "1\n2\n3")
    #expect(bytewise(Array((streamHeader + "<a>1\r\n2\r3\r</a>").utf8)).elements.first?.text == "1\n2\n3\n")
  }

  @Test func anErrorStaysUntilReset() throws {
    let parser = XMLStreamParser(limits: .authenticated)
    var events: [XMLStreamEvent] = []
    #expect(throws: XMLStreamError.self) { try parser.feed(Array((streamHeader + "<a></b>").utf8), into: &events) }
    #expect(events.count == 1)
    #expect(throws: XMLStreamError.self) { try parser.feed(Array("<a/>".utf8), into: &events) }
    parser.reset()
    try parser.feed(Array((streamHeader + "<a/>").utf8), into: &events)
    #expect(events.count == 3)
  }

  /// A7: a restart right behind the end of the stream, or in the middle of a stanza, in one segment with it.
  @Test(arguments: ["</stream:stream>", "<auth/>", "<m><a", "<m>text", "<m a='", "<![CDATA[", ""])
  func aStreamCanBeRestartedAnywhere(before: String) throws {
    let parser = XMLStreamParser(limits: .beforeAuthentication)
    var events: [XMLStreamEvent] = []
    for _ in 0..<3 {
      try? parser.feed(Array((streamHeader + before).utf8), into: &events)
      parser.reset()
      parser.limits = .authenticated
    }
    events = []
    try parser.feed(Array((streamHeader + "<a/>").utf8), into: &events)
    #expect(events.count == 2)
  }

  /// The parser replaces a worn Expat between stanzas; the header's namespaces must survive that.
  @Test func namesMayBeInventedForEver() throws {
    let parser = XMLStreamParser(limits: .authenticated)
    var events: [XMLStreamEvent] = []
    try parser.feed(Array(streamHeader.utf8), into: &events)
    for index in 0..<2_000 {
      events = []
      let stanza = "<n\(index) a\(index)='1' xmlns:p\(index)='u'><p\(index):x/><db:y/></n\(index)>"
      try parser.feed(Array(stanza.utf8), into: &events)
      guard case .element(let element)? = events.last else {
        Issue.record("no element for \(stanza)")
        return
      }
      #expect(element.isNamed("n\(index)", "jabber:server"))
      #expect(element["a\(index)"] == "1")
      #expect(element.child("x", "u") != nil)
      #expect(element.child("y", "jabber:server:dialback") != nil)
    }
    events = []
    try parser.feed(Array("</stream:stream>".utf8), into: &events)
    #expect(events == [.closed])
  }
}
