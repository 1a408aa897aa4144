import BrokerCore
import Testing
import XMLStreaming
import XMPPAdapter
import XMPPCore

@Suite struct XMPPMappingTests {
  static func parse(_ text: String) throws -> XMLElement {
    let header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
      + "xmlns:db='jabber:server:dialback'>"
    var events: [XMLStreamEvent] = []
    try XMLStreamParser(limits: .authenticated).feed(Array((header + text).utf8), into: &events)
    guard case .element(let element) = events.last else { throw NotAnElement() }
    return element
  }

  struct NotAnElement: Error {}

  static func meaning(_ attributes: String, _ content: String) throws -> MessageMeaning {
    MessageMeaning(try Stanza(parse("<message \(attributes)>\(content)</message>")))
  }

  static let romeo = "from='romeo@partner.test/orchard' to='o\\27malley@corp.test'"

  @Test func everythingOfAMessage() throws {
    let meaning = try Self.meaning(
      "\(Self.romeo) type='chat' id='m1' xml:lang='en'",
      "<subject>s</subject><body>a &lt;b&gt; 👍\n\u{202E}x</body><thread>t</thread>"
        + "<active xmlns='http://jabber.org/protocol/chatstates'/><x xmlns='urn:other'><body>no</body></x>")
    #expect(
      meaning
        == .message(
          Message(
            id: "m1", from: Address(user: "romeo", domain: "partner.test", endpoint: "orchard"),
            to: Address(user: "o'malley", domain: "corp.test"), kind: .chat, body: "a <b> 👍\n\u{202E}x", subject: "s",
            thread: "t", language: "en")))
  }

  @Test(arguments: [
    ("", Message.Kind.single), ("type='normal'", .single), ("type='made-up'", .single), ("type='chat'", .chat),
  ])
  func kinds(type: String, kind: Message.Kind) throws {
    guard case .message(let message) = try Self.meaning("\(Self.romeo) \(type)", "<body>x</body>") else {
      Issue.record("no message")
      return
    }
    #expect(message.kind == kind)
    #expect(message.id.isEmpty)
  }

  @Test func bodyInSeveralLanguages() throws {
    let content = "<body xml:lang='cs'>ahoj</body><body>hello</body>"
    guard case .message(let message) = try Self.meaning("\(Self.romeo) xml:lang='en'", content) else { return }
    #expect(message.body == "hello")
    #expect(message.language == "en")
    guard case .message(let only) = try Self.meaning(Self.romeo, "<body xml:lang='cs'>ahoj</body>") else { return }
    #expect(only.body == "ahoj")
    #expect(only.language == "cs")
  }

  @Test(arguments: [
    ("composing", Signal.Kind.composing), ("paused", .paused), ("active", .active), ("inactive", .inactive),
    ("gone", .gone),
  ])
  func chatStates(name: String, kind: Signal.Kind) throws {
    let state = "<\(name) xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>"
    let meaning = try Self.meaning("\(Self.romeo) type='chat'", state)
    guard case .signal(let signal) = meaning else {
      Issue.record("no signal")
      return
    }
    #expect(signal.kind == kind)
    #expect(signal.thread == "t")
    let written = try #require(OutgoingStanza.signal(signal))
    #expect(MessageMeaning(written) == meaning)
  }

  @Test(arguments: [
    ("type='headline'", "<body>x</body>", MessageMeaning.nothing),
    ("type='groupchat'", "<body>x</body>", .refused(StanzaError(.serviceUnavailable))),
    ("type='chat'", "", .nothing),
    ("type='chat'", "<body/>", .nothing),
    ("type='chat'", "<made-up xmlns='http://jabber.org/protocol/chatstates'/>", .nothing),
    ("type='chat'", "<received xmlns='urn:xmpp:receipts' id='x'/>", .nothing),
    ("type='error' id='e'", "", .refusal(id: "e", StanzaError(.undefinedCondition))),
    (
      "type='error' id='e'",
      "<body>x</body><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
      .refusal(id: "e", StanzaError(.forbidden))
    ),
  ])
  func others(attributes: String, content: String, meaning: MessageMeaning) throws {
    #expect(try Self.meaning("\(Self.romeo) \(attributes)", content) == meaning)
  }

  @Test func domainsHoldNoConversation() throws {
    #expect(
      try Self.meaning("from='a@partner.test' to='corp.test'", "<body>x</body>")
        == .refused(StanzaError(.serviceUnavailable)))
    #expect(
      try Self.meaning("from='partner.test' to='a@corp.test'", "<body>x</body>")
        == .refused(StanzaError(.serviceUnavailable)))
  }

  /// What a message is on our side of the stream, it is on the other.
  @Test(arguments: ["hi", "👩‍👩‍👧 مرحبا e\u{301}", "&<>\"' ]]>", "line\nline\ttab", String(repeating: "ä", count: 10_000)])
  func messagesRoundTrip(body: String) throws {
    let message = Message(
      id: "a'b<c>&\"", from: Address(user: "jö rg@x:y/z\\20", domain: "corp.test", endpoint: "gr'u\"u"),
      to: Address(user: "d'artagnan", domain: "partner.test", endpoint: "ph one"), kind: .chat, body: body,
      subject: body, thread: "<t>", language: "de")
    let bytes = StreamOutput.bytes(try #require(OutgoingStanza.message(message, id: message.id)).element)
    let parsed = try Stanza(Self.parse(String(decoding: bytes, as: UTF8.self)))
    #expect(MessageMeaning(parsed) == .message(message))
  }

  /// What XML cannot carry never reaches a stream.
  @Test func illegalCharacters() throws {
    let message = Message(
      id: "1", from: Address(user: "a", domain: "corp.test"), to: Address(user: "b", domain: "partner.test"),
      body: "a\u{0}b\u{1A}c\u{FFFE}d\u{B}e")
    let bytes = StreamOutput.bytes(try #require(OutgoingStanza.message(message, id: "1")).element)
    guard case .message(let read) = MessageMeaning(try Stanza(Self.parse(String(decoding: bytes, as: UTF8.self))))
    else {
      Issue.record("no message")
      return
    }
    #expect(read.body == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e")
  }

  @Test func idsAreTheSameAtEachAttempt() {
    var message = Message(
      id: "x", from: Address(user: "a", domain: "corp.test"), to: Address(user: "b", domain: "partner.test"), body: "")
    #expect(OutgoingStanza.id(of: message, entry: EntryID(rawValue: 7)) == "x")
    message.id = ""
    #expect(OutgoingStanza.id(of: message, entry: EntryID(rawValue: 7)) == "drawbridge-7")
  }

  @Test(arguments: ["", " a", "a ", "a\u{0}b", "♚"])
  func namesWithoutAnAddress(user: String) {
    // A user without a name is the domain itself, which is an address.
    #expect((JID(Address(user: user, domain: "corp.test")) == nil) == !user.isEmpty)
  }

  @Test func endpointWithoutAResource() {
    #expect(JID(Address(user: "a", domain: "corp.test", endpoint: "\u{7}"))?.description == "a@corp.test")
  }

  @Test func failureReports() throws {
    let report = FailureReport(
      messageID: "m", sender: Address(user: "a", domain: "partner.test", endpoint: "r"),
      recipient: Address(user: "o'b", domain: "corp.test"), thread: "t", accepted: Timestamp(milliseconds: 0),
      error: DeliveryError(.gone, text: "moved", detail: "secret", alternative: "sip:x@corp.test"))
    let bytes = StreamOutput.bytes(try #require(OutgoingStanza.failure(report)).element)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(!text.contains("secret"))
    let stanza = try Stanza(Self.parse(text))
    #expect(stanza.from == JID("o\\27b@corp.test"))
    #expect(stanza.to == JID("a@partner.test/r"))
    #expect(stanza.id == "m")
    #expect(stanza.error == StanzaError(.gone, text: "moved", alternative: "sip:x@corp.test"))
    #expect(stanza.answered(with: StanzaError(.badRequest)) == nil)
  }

  @Test(arguments: DeliveryError.Condition.allCases)
  func conditions(condition: DeliveryError.Condition) {
    let error = StanzaError(DeliveryError(condition, text: "t", detail: "d"))
    #expect(error.condition.rawValue == condition.rawValue)
    #expect(DeliveryError(error, from: "partner.test").condition == condition)
  }
}

@Suite struct XMPPSentMessagesTests {
  private let sender = JID("a@corp.test/phone")!
  private let recipient = JID("b@partner.test/desk")!

  @Test func refusalIsRecognisedOnce() {
    var sent = SentMessages(capacity: 2)
    sent.sent(id: "1", from: sender, to: recipient, entry: EntryID(rawValue: 1))
    // Another id, another sender, another recipient, the wrong way round.
    for (id, from, to) in [
      ("2", recipient, sender), ("1", JID("x@partner.test")!, sender), ("1", recipient, JID("x@corp.test")!),
      ("1", sender, recipient),
    ] {
      let entry = sent.refused(id: id, from: from, to: to)
      #expect(entry == nil)
    }
    let entry = sent.refused(id: "1", from: recipient.bare, to: sender)
    #expect(entry == EntryID(rawValue: 1))
    let again = sent.refused(id: "1", from: recipient.bare, to: sender)
    #expect(again == nil)
  }

  /// N are remembered, the one before is not.
  @Test func capacity() {
    var sent = SentMessages(capacity: 2)
    for number in UInt64(1)...3 {
      sent.sent(id: "\(number)", from: sender, to: recipient, entry: EntryID(rawValue: number))
    }
    let found = (1...3).map { sent.refused(id: "\($0)", from: recipient, to: sender)?.rawValue }
    #expect(found == [nil, 2, 3])
  }

  @Test func repetitionKeepsItsPlace() {
    var sent = SentMessages(capacity: 2)
    for id in ["1", "2", "1", "1", "1"] {
      sent.sent(id: id, from: sender, to: recipient, entry: EntryID(rawValue: UInt64(id)!))
    }
    let found = ["1", "2"].map { sent.refused(id: $0, from: recipient, to: sender)?.rawValue }
    #expect(found == [1, 2])
  }
}
