import Testing

@testable import XMLStreaming

/// A6b: however the network cuts the bytes, the events are the same, and none waits for more than its own last byte.
@Suite struct SplitTests {
  static let conversations = [
    streamHeader + "<message to='a@b' id='1'><body>x &amp; \u{1F600} é\r\n]] &gt; <![CDATA[a]]]]><![CDATA[>]]></body>"
      + "<x xmlns='urn:x' a=\"it's >\" b='&#10;'/></message>\r\n <iq id='\(String(repeating: "i", count: 300))'/>"
      + "</stream:stream> \n",
    " <?xml version='1.0' encoding='UTF-8'?> \n<stream:stream xmlns:stream='http://etherx.jabber.org/streams' \n>"
      + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
    // Each of these ends in an error, which must not depend on the cut either.
    streamHeader + "<a/><b><!-- x --></b><c/>",
    streamHeader + "<a/><b>&nbsp;</b>",
    streamHeader + "<a/><b>&averyveryverylongnamethatnevereverends",
    streamHeader + "<a/><b></c><d/>",
    streamHeader + "<a/>text<b/>",
    streamHeader + "<a/></stream:stream> <b/>",
    streamHeader + "<a/></stream:stream>&",
    streamHeader + "<a/><b c='<'/>",
    streamHeader + "<a/><b c='1' c='2'/>",
    streamHeader + "<a/><b>]]></b>",
    streamHeader + "<a/><b>\u{1}</b>",
    streamHeader + "<a/><?xml version='1.0'?><b/>",
    "<?xml version='1.0'?>text",
    "<!DOCTYPE a><a/>",
  ]

  @Test(arguments: conversations)
  func everySplitGivesTheSame(text: String) {
    let bytes = Array(text.utf8)
    let whole = read([bytes])
    #expect(!whole.events.isEmpty || whole.error != nil)
    for cut in 1..<bytes.count {
      let split = read([Array(bytes[..<cut]), Array(bytes[cut...])])
      #expect(split.events == whole.events && split.condition == whole.condition, "cut at \(cut)")
    }
    let single = bytewise(bytes)
    #expect(single.events == whole.events)
    #expect(single.condition == whole.condition)
  }

  @Test func everyEventComesWithItsLastByte() throws {
    let pieces = [
      streamHeader, "<iq id='\(String(repeating: "x", count: 600))'/>", "<message><body>hello</body></message>",
      "<db:result from='a' to='b'>key</db:result>", "</stream:stream>",
    ]
    let parser = XMLStreamParser(limits: .authenticated)
    for piece in pieces {
      var events: [XMLStreamEvent] = []
      for byte in piece.utf8.dropLast() { try parser.feed([byte], into: &events) }
      #expect(events.isEmpty, "too early: \(piece)")
      try parser.feed([piece.utf8.last ?? 0], into: &events)
      #expect(events.count == 1, "late: \(piece)")
    }
  }

  @Test(arguments: [1, 2, 3, 7, 2_047, 2_048, 2_049, 4_096, 100_000])
  func longStanzasAreTheSameInAnyPortions(size: Int) {
    let body = String(repeating: "0123456789 é&lt;\n", count: 4_000)
    let stanza = "<message a='\(String(repeating: "v", count: 5_000))'><body>\(body)</body></message>"
    let bytes = Array((streamHeader + stanza + stanza).utf8)
    var portions: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      portions.append(Array(bytes[start..<min(start + size, bytes.count)]))
      start += size
    }
    let reading = read(portions)
    #expect(reading.error == nil)
    #expect(reading == read([bytes]))
    #expect(reading.elements.count == 2)
  }
}
