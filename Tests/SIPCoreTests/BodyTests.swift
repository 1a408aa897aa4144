import SIPCore
import Testing

@Suite struct BodyTests {
  static let offer = """
    v=0
    o=- 0 0 IN IP4 10.0.0.1
    s=session
    c=IN IP4 10.0.0.1
    t=0 0
    m=audio 49170 RTP/AVP 0
    m=message 5060 sip null
    a=accept-types:text/plain text/html image/gif

    """

  @Test func theMessageLineIsFoundAndTheOthersRefused() throws {
    let description = try #require(SessionDescription(wire(Self.offer)))
    #expect(description.messageLine == 1)
    let answer = try #require(description.answer(host: "gw.test", localURI: "sip:alice@partner.test"))
    let lines = String(decoding: answer, as: UTF8.self).split(separator: "\r\n").filter { $0.hasPrefix("m=") }
    #expect(lines == ["m=audio 0 rtp/avp 0", "m=message 5060 sip sip:alice@partner.test"])
  }

  @Test(arguments: [
    ("m=audio 1 RTP/AVP 0", false), ("m=message 1 TCP/MSRP *", false), ("m=x-ms-message 5060 sip null", true),
    ("m=message 5060 SIP sip:bob@corp.test", true), ("m=message 5060 sip null\na=accept-types:text/html", false),
    ("m=message 5060 sip null\na=accept-types:*", true), ("m=message 5060 sip null\na=accept-types:TEXT/Plain", true),
    ("m=applicationsharing 1 TCP/RTP/AVP 127", false),
  ])
  func acceptable(media: String, expected: Bool) throws {
    let description = try #require(SessionDescription(wire("v=0\no=- 0 0 IN IP4 a\ns=-\n\(media)\n")))
    #expect((description.messageLine != nil) == expected)
  }

  @Test func ourOfferIsReadByOurselves() throws {
    let text = SessionDescription.offer(host: "[2001:db8::1]")
    #expect(String(decoding: text, as: UTF8.self).contains("c=IN IP6 2001:db8::1\r\n"))
    #expect(SessionDescription(text)?.messageLine == 0)
  }

  @Test func notASessionDescription() {
    #expect(SessionDescription([]) == nil)
    #expect(SessionDescription(Array("hello".utf8)) == nil)
    #expect(SessionDescription([0xFF, 0xFE]) == nil)
    #expect(SessionDescription(Array("v=1\r\nm=message 1 sip null\r\n".utf8)) == nil)
    let medium = "m=message 1 sip null\n"
    let allowed = "v=0\n" + String(repeating: medium, count: SessionDescription.maximumMedia)
    #expect(SessionDescription(wire(allowed)) != nil)
    #expect(SessionDescription(wire(allowed + medium)) == nil)
  }

  @Test(
    arguments: [
      (Array("héllo 🙂".utf8), nil, "héllo 🙂"), (Array("a".utf8), "US-ASCII", "a"), ([0x68, 0xE9], "iso-8859-1", "hé"),
      ([0xEF, 0xBB, 0xBF, 0x61], "UTF-8", "a"), ([], nil, ""), ([0x61, 0], "utf-8", "a\0"),
    ] as [([UInt8], String?, String)])
  func text(bytes: [UInt8], charset: String?, expected: String) throws {
    #expect(try TextBody.decode(bytes, charset: charset) == expected)
  }

  @Test(
    arguments: [
      ([0xFF], nil), ([0xC3], "utf-8"), ([0xED, 0xA0, 0x80], "UTF-8"), ([0x80], "us-ascii"), ([0x61], "utf-16"),
    ] as [([UInt8], String?)])
  func textRefused(bytes: [UInt8], charset: String?) {
    #expect(throws: SIPDefect.self) { try TextBody.decode(bytes, charset: charset) }
  }

  @Test func cpim() throws {
    let body = wire(
      "From: <im:a@b>\nTo: <im:c@d>\nDateTime: 2000-12-13T13:40:00-08:00\n\nContent-type: text/plain; charset=utf-8\n\nHello\nthere"
    )
    let content = try CPIM.unwrap(body)
    #expect(content.type.essence == "text/plain")
    #expect(content.type.parameter("charset") == "utf-8")
    #expect(String(decoding: content.body, as: UTF8.self) == "Hello\r\nthere")
  }

  @Test func cpimRefused() {
    for text in ["", "From: x", "From: x\n\nno colon\n\nbody", "From: x\n\nContent-Transfer-Encoding: base64\n\nYQ=="] {
      #expect(throws: SIPDefect.self) { try CPIM.unwrap(wire(text)) }
    }
    let lines = String(repeating: "X: y\n", count: CPIM.maximumLines)
    #expect(throws: SIPDefect.self) { try CPIM.unwrap(wire(lines + "\n\nbody")) }
  }

  @Test func keyboardActivity() {
    #expect(Typing(keyboardActivity: Typing.composing.keyboardActivity) == .composing)
    #expect(Typing(keyboardActivity: Typing.idle.keyboardActivity) == .idle)
    #expect(
      Typing(keyboardActivity: Array("<KeyboardActivity><status status='type'/></KeyboardActivity>".utf8)) == .composing
    )
    for text in ["", "<KeyboardActivity>", "<ConversationInfo/>", "<KeyboardActivity><status status=\"x\"/>"] {
      #expect(Typing(keyboardActivity: Array(text.utf8)) == nil)
    }
  }

  @Test func isComposing() {
    let head = "<?xml version=\"1.0\"?><isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\">"
    #expect(
      Typing(isComposing: Array((head + "<state>active</state><refresh>90</refresh></isComposing>").utf8)) == .composing
    )
    #expect(Typing(isComposing: Array((head + "<state> idle </state></isComposing>").utf8)) == .idle)
    #expect(Typing(isComposing: Array("<x/>".utf8)) == nil)
    #expect(Typing(isComposing: Array(repeating: 0x61, count: Typing.maximumBody + 1)) == nil)
  }
}
