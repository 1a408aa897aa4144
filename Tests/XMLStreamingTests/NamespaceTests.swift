import Testing

@testable import XMLStreaming

/// A9, A11: who an element is cannot be forged by how its name is written.
@Suite struct NamespaceTests {
  @Test func everyControlCharacterInANamespaceIsRefusedOrHarmless() {
    for code in UInt8(0)...0x20 {
      for form in [[code], Array("&#\(code);".utf8), Array("&#x\(String(code, radix: 16));".utf8)] {
        let bytes = Array((streamHeader + "<m xmlns='jabber:server").utf8) + form + Array("message'/>".utf8)
        for element in read([bytes]).elements {
          #expect(element.local == "m")
          #expect(element.namespace != "jabber:server")
        }
      }
    }
  }

  @Test func separatorInPrefixedDeclarations() {
    for text in ["<p:m xmlns:p='a\u{1}b'/>", "<p:m xmlns:p='a&#1;b'/>", "<m p:x='1' xmlns:p='a\u{1}b'/>", "<m\u{1}n/>"]
    {
      #expect(readStanzas(text).condition == "not-well-formed")
    }
  }

  @Test(arguments: [
    ("<message xmlns='jabber:client'/>", "message", "jabber:client"),
    ("<s:message xmlns:s='jabber:server'/>", "message", "jabber:server"),
    ("<message xmlns='jabber:server&#32;'/>", "message", "jabber:server "),
    ("<message xmlns=''/>", "message", ""),
    ("<db:message/>", "message", "jabber:server:dialback"),
    ("<db:message xmlns:db='jabber:server'/>", "message", "jabber:server"),
    ("<stream:message xmlns:stream='jabber:server'/>", "message", "jabber:server"),
    ("<stream xmlns='jabber:server'/>", "stream", "jabber:server"),
    ("<xml:message/>", "message", "http://www.w3.org/XML/1998/namespace"),
  ])
  func identity(text: String, local: String, namespace: String) {
    #expect(readStanzas(text).elements.first?.name == XMLName(local, namespace: namespace))
  }

  @Test func declarationsEndWithTheirElement() {
    let reading = readStanzas("<a xmlns='x' xmlns:db='y'><b/><db:c/></a><d/><db:e/>")
    #expect(reading.elements[0].child("b", "x") != nil)
    #expect(reading.elements[0].child("c", "y") != nil)
    #expect(reading.elements[1].namespace == "jabber:server")
    #expect(reading.elements[2].namespace == "jabber:server:dialback")
  }

  @Test func attributesOfANamespaceAreNotThoseOfNone() {
    let element = readStanzas("<m xmlns:p='jabber:server' p:from='evil' from='good' xml:lang='de'/>").elements.first
    #expect(element?["from"] == "good")
    #expect(element?.attribute("from", namespace: "jabber:server") == "evil")
    #expect(element?["lang"] == nil)
    #expect(element?.language == "de")
  }

  /// A stanza may quote a stream header deeper inside: that is data of some user, and closes nothing.
  @Test func aQuotedStreamHeaderIsData() {
    let reading = readStanzas("<message><stream:stream/><stream:error/></message><presence/>")
    #expect(reading.error == nil)
    #expect(reading.elements.map(\.local) == ["message", "presence"])
  }

  /// The table of known names must give what Expat's bytes say.
  @Test func knownNamesAreThemselves() {
    for name in KnownNames.catalogue where !name.namespace.isEmpty && name.namespace != XMLNamespace.xml {
      let text = "<\(name.local) xmlns='\(name.namespace)'/>"
      let stanza = "<x xmlns='urn:test'>\(text)</x>"
      guard case .element(let inner)? = readStanzas(stanza).elements.first?.content.first else {
        Issue.record("not read: \(text)")
        continue
      }
      #expect(inner.name == name)
    }
  }
}
