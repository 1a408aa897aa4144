import Testing

@testable import XMLStreaming

@Suite struct DocumentParserTests {
  func parse(_ text: String) throws(XMLStreamError) -> XMLElement {
    try XMLDocumentParser.parse(Array(text.utf8), limits: .authenticated)
  }

  @Test func aDocumentIsItsRoot() throws {
    let root = try parse(
      "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n"
        + "<KeyboardActivity>\r\n  <status status=\"type\"/>\r\n</KeyboardActivity>\r\n")
    #expect(root.name == XMLName("KeyboardActivity"))
    #expect(root.child("status", "")?["status"] == "type")
  }

  @Test(arguments: [
    "", " ", "<a>", "<a/><b/>", "<a/>x", "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>&b;</a>",
    "<?xml version='1.0' encoding='latin1'?><a/>", "<a/><!-- c -->", "<a><?pi?></a>", "<a", "x",
  ])
  func isRefused(text: String) {
    #expect(throws: XMLStreamError.self) { try parse(text) }
  }

  @Test func sameNameInsideIsNoStream() throws {
    #expect(try parse("<a><a><a/></a></a>").children("a", "").count == 1)
  }

  @Test func limitsHold() {
    let deep = String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65)
    #expect(throws: XMLStreamError.limitExceeded(.depth, 64)) { try parse(deep) }
    let long = "<a>" + String(repeating: "x", count: 262_138) + "</a>"
    #expect(throws: XMLStreamError.limitExceeded(.bytes, 262_144)) { try parse(long) }
  }
}
