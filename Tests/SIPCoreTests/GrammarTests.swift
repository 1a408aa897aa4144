import SIPCore
import Testing

@Suite struct GrammarTests {
  @Test(arguments: [
    "sip:alice@atlanta.com", "sip:alice:secretword@atlanta.com;transport=tcp", "sips:alice@atlanta.com",
    "sip:+1-212-555-1212:1234@gateway.com;user=phone", "sips:1212@gateway.com", "sip:alice@192.0.2.4",
    "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", "sip:alice;day=tuesday@atlanta.com",
    "sip:[2001:db8::10]", "sip:bob@[2001:db8::10]:5061;transport=tls", "im:bob@corp.test", "pres:bob@corp.test",
    "sip:o'malley@x", "sip:f%C3%BC@x;gr=b%C3%A4r", "sip:u@d;opaque=user:epid:abc-d;gruu",
  ])
  func uriRoundTrip(text: String) {
    #expect(SIPURI(text)?.description == text)
  }

  @Test(arguments: [
    "", "sip:", "sip:@x", "tel:+1", "sip:a@", "sip:a@b@c", "sip:a b@c", "sip:a%4@c", "sip:a%zz@c", "sip:a@c:99999",
    "sip:a@c:", "sip:a@[::1", "sip:a@c;", "sip:a@c;x=", "sip:a@c?a b", "sip:ü@c", "sip:a@c<d>", "sip:a@-",
  ])
  func notAURI(text: String) {
    #expect(SIPURI(text) == nil)
  }

  @Test func uriParts() throws {
    let uri = try #require(SIPURI("SIP:Al%20ice:pw@EXAMPLE.com:5070;GR=x;lr?Subject=a"))
    #expect(uri.scheme == .sip)
    #expect(uri.user == "Al%20ice")
    #expect(uri.password == "pw")
    #expect(uri.host == "example.com")
    #expect(uri.port == 5070)
    #expect(uri.parameters["gr"] == "x")
    #expect(uri.parameters.contains("LR"))
    #expect(uri.headers == "Subject=a")
  }

  @Test(arguments: [
    ("abc", "abc"), ("a%20b", "a b"), ("f%C3%BC", "fü"), ("%00", "\0"), ("o'malley", "o'malley"),
  ])
  func percentDecoding(text: String, expected: String) {
    #expect(PercentEncoding.decodeText(text) == expected)
  }

  @Test(arguments: ["%", "%4", "%G0", "%C3", "%ED%A0%80", "%C0%AF", "%FF"])
  func percentDecodingRefuses(text: String) {
    #expect(PercentEncoding.decodeText(text) == nil)
  }

  @Test func percentEncodingOfUsers() {
    #expect(PercentEncoding.encodeUser("fü") == "f%C3%BC")
    // RFC 7247 §6.5: # % [ \ ] ^ ` { | }
    #expect(PercentEncoding.encodeUser("#%[\\]^`{|}") == "%23%25%5B%5C%5D%5E%60%7B%7C%7D")
    #expect(PercentEncoding.encodeUser("!$&'()*+,-./;=?_~") == "!$&'()*+,-./;=?_~")
    #expect(PercentEncoding.encodeUser("a b@c:\"<>") == "a%20b%40c%3A%22%3C%3E")
    #expect(PercentEncoding.encodeParameter("Büro;1=2") == "B%C3%BCro%3B1%3D2")
  }

  @Test func everyCharacterSurvivesTheUserPart() throws {
    let all = String(String.UnicodeScalarView((1...0x7E).compactMap { Unicode.Scalar($0) })) + "üß🙂ع\u{200F}"
    let uri = try #require(SIPURI("sip:\(PercentEncoding.encodeUser(all))@corp.test"))
    #expect(uri.user.flatMap(PercentEncoding.decodeText) == all)
  }

  @Test(
    arguments: [
      ("<sip:a@b>", nil, "sip:a@b", nil), ("sip:a@b;tag=1", nil, "sip:a@b", "1"),
      ("\"A. \\\"B\\\" <C>, D\" <sip:a@b;gr=x> ; tag = 1", "A. \"B\" <C>, D", "sip:a@b;gr=x", "1"),
      ("Alice Smith <sip:a@b>;epid=0;tag=9", "Alice Smith", "sip:a@b", "9"),
      ("caller<sip:a@b>", "caller", "sip:a@b", nil),
      ("<tel:+358-555>;tag=x", nil, "tel:+358-555", "x"),
      ("sip:a@b;+sip.instance=\"<urn:uuid:1>\";tag=2", nil, "sip:a@b", "2"),
    ] as [(String, String?, String, String?)])
  func nameAddr(text: String, name: String?, uri: String, tag: String?) throws {
    let address = try #require(NameAddr(text))
    #expect(address.displayName == name)
    #expect(address.uriText == uri)
    #expect(address.tag == tag)
    #expect(NameAddr(address.description) == address)
  }

  @Test(arguments: [
    "", "\"open <sip:a@b>", "<sip:a@b", "<sip:a b@c>", "sip:a@b,sip:c@d", "a, b <sip:a@b>", "\"x\" sip:a@b",
    "<sip:a@b>x", "<sip:a@b>;=1", "<>", "<sip:a@b>;tag=\"x",
  ])
  func notANameAddr(text: String) {
    #expect(NameAddr(text) == nil)
  }

  @Test func aDisplayNameCannotEndItsLine() {
    let address = NameAddr(displayName: "a\r\nX: y\"\\", uriText: "sip:a@b")
    #expect(address.description == "\"a  X: y\\\"\\\\\" <sip:a@b>")
  }

  @Test func commaListsRespectQuotesAndBrackets() {
    var headers = SIPHeaders()
    headers.append(.contact, "\"a,b\" <sip:x@y,z>;q=1 , <sip:c@d>, ,e")
    headers.append(.contact, "f")
    #expect(headers.strings(.contact) == ["\"a,b\" <sip:x@y,z>;q=1", "<sip:c@d>", "e", "f"])
  }

  @Test func aValueCannotBecomeALine() {
    var request = SIPRequest(.message, uriText: "sip:a@b")
    request.headers.append(.subject, "hello\r\nX-Evil: 1\0")
    let text = String(decoding: request.bytes, as: UTF8.self)
    #expect(text == "MESSAGE sip:a@b SIP/2.0\r\nSubject: hello  X-Evil: 1 \r\nContent-Length: 0\r\n\r\n")
  }

  @Test func aRequestURICannotBecomeALine() {
    let request = SIPRequest(.message, uriText: "sip:a@b SIP/2.0\r\nX: y")
    #expect(
      String(decoding: request.bytes, as: UTF8.self)
        == "MESSAGE sip:a@b_SIP/2.0__X:_y SIP/2.0\r\nContent-Length: 0\r\n\r\n")
  }

  @Test func aReasonPhraseCannotBecomeALine() {
    let response = SIPResponse(400, reason: "no\r\nX: y")
    #expect(String(decoding: response.bytes, as: UTF8.self) == "SIP/2.0 400 no  X: y\r\nContent-Length: 0\r\n\r\n")
  }

  @Test func headersKeepOrderAndUnknownOnes() {
    let message = request(
      "OPTIONS sip:a SIP/2.0\nX-First: 1\nv: SIP/2.0/TLS h;branch=z9hG4bKa\nx-SECOND: 2\nl: 0\n\n")
    #expect(message.headers.all.map(\.name) == ["X-First", "Via", "x-SECOND", "Content-Length"])
    #expect(message.headers["x-first"] == "1")
    #expect(message.headers["X-Second"] == "2")
    #expect(message.headers["missing"] == nil)
    #expect(
      String(decoding: message.bytes, as: UTF8.self)
        == "OPTIONS sip:a SIP/2.0\r\nX-First: 1\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKa\r\nx-SECOND: 2\r\nContent-Length: 0\r\n\r\n"
    )
  }

  @Test func replaceKeepsThePlace() {
    var headers = SIPHeaders()
    headers.append(.to, "a")
    headers.append(.from, "b")
    headers.replace(.to, "c")
    headers.replace(.subject, "d")
    #expect(headers.all.map(\.name) == ["To", "From", "Subject"])
    #expect(headers.string(.to) == "c")
    headers.remove(.from)
    #expect(headers.count == 2)
  }

  @Test func via() throws {
    let via = try #require(
      Via(parsing: Array("SIP / 2.0/tls [2001:DB8::1] : 5061 ;received=192.0.2.1;branch=z9hG4bK-x;alias".utf8)[...]))
    #expect(via.transport == "TLS")
    #expect(via.sentBy == "[2001:db8::1]:5061")
    #expect(via.branch == "z9hG4bK-x")
    #expect(via.parameters.contains("alias"))
    #expect(via.description == "SIP/2.0/TLS [2001:db8::1]:5061;received=192.0.2.1;branch=z9hG4bK-x;alias")
    for text in [
      "SIP/2.0/TLS", "SIP/3.0/TLS a", "HTTP/2.0/TLS a", "SIP/2.0/TLSa", "SIP/2.0/TLS a;;", "SIP/2.0/TLS a:b",
    ] {
      #expect(Via(parsing: Array(text.utf8)[...]) == nil)
    }
  }

  @Test func cSeqBounds() {
    #expect(CSeq(parsing: Array("2147483647 MESSAGE".utf8)[...]) == CSeq(2_147_483_647, .message))
    for text in ["2147483648 MESSAGE", "-1 ACK", "1", "1MESSAGE", "x ACK", "1 A B", "36893488147419103232 ACK"] {
      #expect(CSeq(parsing: Array(text.utf8)[...]) == nil)
    }
  }

  @Test func mediaType() throws {
    let type = try #require(MediaType(parsing: Array("Text / Plain ; charset=\"utf-8\";msgr=WAAtAE0A".utf8)[...]))
    #expect(type.essence == "text/plain")
    #expect(type.parameter("CHARSET") == "utf-8")
    #expect(MediaType.plainText.description == "text/plain;charset=UTF-8")
    #expect(MediaType(parsing: Array("text".utf8)[...]) == nil)
    #expect(MediaType(parsing: Array("text/;x=1".utf8)[...]) == nil)
  }

  @Test func warnings() {
    let warning = Warning(parsing: Array("309 lcs.microsoft.com \"blocked \\\"by\\\" policy\"".utf8)[...])
    #expect(warning == Warning(309, agent: "lcs.microsoft.com", text: "blocked \"by\" policy"))
    #expect(Warning(parsing: Array("39 a \"b\"".utf8)[...]) == nil)
    #expect(Warning(399, agent: "gw", text: "a\"b").description == "399 gw \"a\\\"b\"")
  }

  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_795_255_200, "Sat, 21 Nov 2026 10:00:00 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
      (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ] as [(Int64, String)])
  func date(seconds: Int64, expected: String) {
    #expect(SIPDate.format(seconds: seconds) == expected)
  }

  @Test func everyKnownHeaderIsFoundInAnyCase() {
    for name in HeaderName.allCases where name != .other {
      let message = request("OPTIONS sip:a SIP/2.0\n\(name.spelling.uppercased()): 0\nContent-Length: 0\n\n")
      #expect(message.headers.contains(name), "\(name.spelling)")
    }
  }
}
