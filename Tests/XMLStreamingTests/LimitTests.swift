import Testing

@testable import XMLStreaming

/// A2, A4: each limit holds at N and stops at N+1, with one portion and byte by byte.
@Suite struct LimitTests {
  static let limits = XMLLimits(
    bytes: 2_000, depth: 5, elements: 10, attributes: 12, attributesPerElement: 8, namespaceDeclarations: 6,
    tokenBytes: 500, textNodes: 7, nameBytes: 20)

  /// A stanza that reaches `n` of the quantity and no other limit.
  static func stanza(_ name: XMLLimits.Name, _ n: Int) -> String {
    switch name {
    case .bytes: return "<m>" + String(repeating: "x", count: n - 7) + "</m>"
    case .depth: return String(repeating: "<m>", count: n) + String(repeating: "</m>", count: n)
    case .elements: return "<m>" + String(repeating: "<a/>", count: n - 1) + "</m>"
    case .attributes: return "<m>" + (0..<n).map { "<a b\($0)=''/>" }.joined() + "</m>"
    case .attributesPerElement: return "<m " + (0..<n).map { "b\($0)='' " }.joined() + "/>"
    case .namespaceDeclarations: return "<m " + (0..<n).map { "xmlns:p\($0)='u' " }.joined() + "/>"
    case .tokenBytes: return "<m a='" + String(repeating: "x", count: n - 9) + "'/>"
    case .nameBytes: return "<" + String(repeating: "x", count: n) + "/>"
    case .textNodes: return "<m>" + String(repeating: "x<a/>", count: n - 1) + "x</m>"
    }
  }

  @Test(arguments: [
    (XMLLimits.Name.bytes, 2_000), (.depth, 5), (.elements, 10), (.attributesPerElement, 8),
    (.namespaceDeclarations, 6), (.tokenBytes, 500), (.textNodes, 7),
    (.nameBytes, 20),
  ])
  func holdsAndStops(name: XMLLimits.Name, value: Int) {
    for single in [false, true] {
      func result(_ text: String) -> Reading {
        let bytes = Array((streamHeader + text).utf8)
        return single ? bytewise(bytes, limits: Self.limits) : read([bytes], limits: Self.limits)
      }
      // Twice: the counts start anew with each stanza.
      let fits = Self.stanza(name, value)
      #expect(result(fits + fits).elements.count == 2)
      #expect(result(fits + fits).error == nil)
      let over = result(fits + Self.stanza(name, value + 1) + "<late/>")
      #expect(over.elements.count == 1)
      #expect(over.error == .limitExceeded(name, value))
      #expect(over.condition == "policy-violation")
    }
  }

  @Test func attributesInAll() {
    var limits = Self.limits
    limits.elements = 100
    #expect(readStanzas(Self.stanza(.attributes, 12), limits: limits).elements.count == 1)
    #expect(
      readStanzas(Self.stanza(.attributes, 13), limits: limits).error == .limitExceeded(.attributes, 12))
  }

  @Test func theHeaderIsLimitedToo() {
    #expect(
      read("<s a='" + String(repeating: "x", count: 600), limits: Self.limits).error == .limitExceeded(.tokenBytes, 500)
    )
    let many = (0..<20).map { "a\($0)='' " }.joined()
    #expect(read("<s \(many)>", limits: Self.limits).error == .limitExceeded(.attributesPerElement, 8))
    let spaces = (0..<7).map { "xmlns:a\($0)='u' " }.joined()
    #expect(read("<s \(spaces)>", limits: Self.limits).error == .limitExceeded(.namespaceDeclarations, 6))
  }

  @Test func limitsMayBeRaisedBetweenStanzas() throws {
    let parser = XMLStreamParser(limits: .beforeAuthentication)
    var events: [XMLStreamEvent] = []
    try parser.feed(Array(streamHeader.utf8), into: &events)
    parser.limits = .authenticated
    try parser.feed(Array(Self.stanza(.bytes, 200_000).utf8), into: &events)
    #expect(events.count == 2)
  }

  /// RFC 6120 §13.12: a limit below 10,000 bytes is none of the operator's choices.
  @Test func authenticatedPeersMaySendTheSmallestMaximum() {
    #expect(XMLLimits.authenticated(bytes: 1).bytes == 10_000)
    let stanza = Self.stanza(.bytes, 10_000)
    #expect(readStanzas(stanza, limits: .authenticated(bytes: 1)).elements.count == 1)
  }

  /// 100 MB without a `>`: stopped at the limit, whatever kind of token it is.
  @Test(arguments: ["<m a='", "<m", "<m ", "<![CDATA[", "<m>", "<m>&", "<m>&#", "</", "<m><![CDATA["])
  func floodsStopAtTheLimit(start: String) {
    for limits in [XMLLimits.beforeAuthentication, .authenticated] {
      let parser = XMLStreamParser(limits: limits)
      var events: [XMLStreamEvent] = []
      let flood = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
      var taken = 0
      do throws(XMLStreamError) {
        try parser.feed(Array((streamHeader + start).utf8), into: &events)
        while taken < 100_000_000 {
          try parser.feed(flood, into: &events)
          taken += flood.count
        }
        Issue.record("never stopped")
      } catch {
        #expect(taken <= limits.bytes)
      }
      #expect(events.count == 1)
    }
  }

  @Test func keepAlivesAreFree() throws {
    let parser = XMLStreamParser(limits: .beforeAuthentication)
    var events: [XMLStreamEvent] = []
    try parser.feed(Array(streamHeader.utf8), into: &events)
    let spaces = [UInt8](repeating: UInt8(ascii: " "), count: 65_536)
    for _ in 0..<160 { try parser.feed(spaces, into: &events) }
    try parser.feed(Array("<a/>".utf8), into: &events)
    #expect(events.count == 2)
  }

  /// The longest tag, one byte at a time: with a parser that starts over at each byte this test takes minutes.
  @Test func longTagsInSingleBytesAreRead() {
    let stanza = Self.stanza(.tokenBytes, 65_536)
    #expect(bytewise(Array((streamHeader + stanza).utf8)).elements.count == 1)
    let attributes = (0..<128).map { "attribute\($0)='\($0)' " }.joined()
    #expect(bytewise(Array((streamHeader + "<m xmlns='u' \(attributes)/>").utf8)).elements.count == 1)
  }
}
