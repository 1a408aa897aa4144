import Testing

@testable import XMLStreaming

/// A1, A8, A11: what RFC 6120 §11 forbids is refused with the condition that names it, and nothing behind it is read.
@Suite struct RefusalTests {
  @Test(arguments: [
    ("<!DOCTYPE stream><s xmlns='x'>", "restricted-xml"),
    ("<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'>]><s xmlns='x'>", "restricted-xml"),
    ("<?pi x?><s xmlns='x'>", "restricted-xml"),
    ("<?xml version='1.0'?><?pi x?><s xmlns='x'>", "restricted-xml"),
    ("<!-- c --><s xmlns='x'>", "restricted-xml"),
    ("<?xml version='1.1'?><s xmlns='x'>", "restricted-xml"),
    ("<?xml version='1.0' standalone='no'?><s xmlns='x'>", "restricted-xml"),
    ("<?xml version='1.0' standalone='yes'?><s xmlns='x'>", "restricted-xml"),
    ("<?xml version='1.0' encoding='ISO-8859-1'?><s xmlns='x'>", "unsupported-encoding"),
    ("<?xml version='1.0' encoding='UTF-16'?><s xmlns='x'>", "unsupported-encoding"),
    ("\u{FEFF}<s xmlns='x'>", "not-well-formed"),
    ("text", "not-well-formed"),
    ("<?xml version='1.0'?>text", "not-well-formed"),
    ("<s><a></s>", "not-well-formed"),
    ("<x:s>", "not-well-formed"),
    ("<a:b:c xmlns:a='x'>", "not-well-formed"),
    ("< s>", "not-well-formed"),
    ("<>", "not-well-formed"),
    ("<![CDATA[x]]><s/>", "not-well-formed"),
  ])
  func beforeTheStream(text: String, condition: String) {
    let reading = read(text)
    #expect(reading.condition == condition)
    #expect(reading.elements.isEmpty)
  }

  @Test(arguments: [
    ("<!-- c -->", "restricted-xml"),
    ("<m><!-- c --></m>", "restricted-xml"),
    ("<m><?pi?></m>", "restricted-xml"),
    ("<?xml version='1.0'?>", "restricted-xml"),
    ("<!DOCTYPE m>", "restricted-xml"),
    ("<m><!ENTITY a 'b'></m>", "restricted-xml"),
    ("<m>&lol;</m>", "restricted-xml"),
    ("<m a='&lol;'/>", "restricted-xml"),
    ("<m>&#0;</m>", "not-well-formed"),
    ("<m>&#x1;</m>", "not-well-formed"),
    ("<m>&#xD800;</m>", "not-well-formed"),
    ("<m>&#xFFFE;</m>", "not-well-formed"),
    ("<m>&#x110000;</m>", "not-well-formed"),
    ("<m>a & b</m>", "not-well-formed"),
    ("<m>]]></m>", "not-well-formed"),
    ("<m a='1' a='2'/>", "not-well-formed"),
    ("<m xmlns:p='u' xmlns:q='u' p:a='1' q:a='2'/>", "not-well-formed"),
    ("<m a=1/>", "not-well-formed"),
    ("<m></n>", "not-well-formed"),
    ("<p:m/>", "not-well-formed"),
    ("<m p:a=''/>", "not-well-formed"),
    ("<m xmlns:xml='u'/>", "not-well-formed"),
    ("<m xmlns='http://www.w3.org/2000/xmlns/'/>", "not-well-formed"),
    ("<m xmlns:p=''/>", "not-well-formed"),
    ("</m>", "not-well-formed"),
    ("x", "bad-format"),
    ("&amp;", "bad-format"),
    ("<![CDATA[x]]>", "bad-format"),
    ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", "bad-format"),
    ("<s:stream xmlns:s='http://etherx.jabber.org/streams'/>", "bad-format"),
    ("</stream:stream><stream:stream>", "not-well-formed"),
    ("</stream:stream>x", "not-well-formed"),
    ("</stream:stream><!-- c -->", "not-well-formed"),
  ])
  func inTheStream(text: String, condition: String) {
    for limits in [XMLLimits.beforeAuthentication, .authenticated] {
      let reading = read(streamHeader + "<first/>" + text + "<last/>", limits: limits)
      #expect(reading.condition == condition)
      #expect(reading.elements.map(\.local) == ["first"])
    }
  }

  @Test(
    arguments: [
      [0xFF, 0xFE, 0x3C, 0x00], [0xFE, 0xFF, 0x00, 0x3C], [0x3C, 0x00, 0x73, 0x00], [0x00, 0x3C, 0x00, 0x73],
      [0x00, 0x00, 0xFE, 0xFF], [0xFF, 0xFE, 0x00, 0x00],
    ] as [[UInt8]])
  func otherEncodings(bytes: [UInt8]) {
    #expect(read([bytes]).condition == "unsupported-encoding")
    #expect(bytewise(bytes).condition == "unsupported-encoding")
  }

  /// Twice the depth of the classic attack; not one expansion happens.
  @Test func entitiesNeverExpand() {
    let laughs = (1..<20).map { "<!ENTITY l\($0) '&l\($0 - 1);&l\($0 - 1);'>" }.joined()
    let reading = read("<?xml version='1.0'?><!DOCTYPE s [<!ENTITY l0 'lol'>\(laughs)]><s>&l19;</s>")
    #expect(reading == Reading(events: [], error: .restrictedXML("a declaration")))
  }

  @Test func eachErrorNamesAConditionOfTheStandard() {
    let all: [XMLStreamError] = [
      .notWellFormed("x"), .restrictedXML("x"), .unsupportedEncoding("x"), .badFormat("x"),
      .limitExceeded(.bytes, 1), .afterEnd, .outOfMemory,
    ]
    let known: Set = [
      "bad-format", "not-well-formed", "policy-violation", "resource-constraint", "restricted-xml",
      "unsupported-encoding",
    ]
    for error in all {
      #expect(known.contains(error.streamCondition))
      #expect(!error.description.isEmpty)
    }
  }
}
