import Testing
import XMLStreaming
import XMPPCore

@Suite struct StanzaTests {
  static func stanza(
    _ kind: Stanza.Kind, type: String?, id: String? = "1", to: String = "corp.test", _ payload: XMLElement...
  ) -> Stanza {
    let from = JID("a@partner.test/x")!
    let to = JID(to)!
    var element = StanzaBuilder.envelope(kind, from: from, to: to, type: type, id: id)
    for child in payload { element.add(child) }
    return Stanza(kind, from: from, to: to, element: element)
  }

  /// A29: nothing answers an error or a result.
  @Test(
    arguments: [Stanza.Kind.message, .presence, .iq], ["error", "result", "get", "chat", nil, "subscribe", "Error"])
  func errorsAnswerNoErrors(kind: Stanza.Kind, type: String?) {
    let answer = Self.stanza(kind, type: type).answered(with: StanzaError(.serviceUnavailable))
    if type == "error" || (kind == .iq && type != "get" && type != "set") { #expect(answer == nil) }
    guard let answer else { return }
    #expect(answer["type"] == "error")
    #expect(answer["to"] == "a@partner.test/x")
    #expect(answer["from"] == "corp.test")
    #expect(answer["id"] == "1")
    // And the answer to the answer ends it.
    let back = Stanza(kind, from: JID("corp.test")!, to: JID("a@partner.test")!, element: answer)
    #expect(back.answered(with: StanzaError(.badRequest)) == nil)
  }

  @Test(arguments: StanzaError.Condition.allCases)
  func errorsRoundTrip(condition: StanzaError.Condition) throws {
    let error = StanzaError(
      condition, text: "a < b & c", alternative: condition == .gone || condition == .redirect ? "xmpp:x@y" : nil)
    var parsed: [XMLStreamEvent] = []
    let parser = XMLStreamParser(limits: .beforeAuthentication)
    try parser.feed(Array(Initiator.header.utf8) + StreamOutput.bytes(error.element), into: &parsed)
    guard case .element(let element) = parsed.last else { throw Missing() }
    #expect(StanzaError(element) == error)
  }

  struct Missing: Error {}

  @Test func strangeErrors() {
    #expect(StanzaError(XMLElement("error", namespace: Namespace.server)) == nil)
    let unknown = XMLElement("error", namespace: Namespace.server, attributes: [("type", "wait")])
      .adding(XMLElement("made-up", namespace: Namespace.stanzaErrors))
    #expect(StanzaError(unknown) == StanzaError(.undefinedCondition, kind: .wait))
    let long = XMLElement("error", namespace: Namespace.server, attributes: [("type", "cancel")])
      .adding("text", namespace: Namespace.stanzaErrors, text: String(repeating: "ä\n", count: 1000))
    let text = StanzaError(long)?.text ?? ""
    #expect(text.utf8.count <= PeerText.maximumBytes)
    #expect(!text.contains("\n"))
  }

  static let queries = ServerQueries(softwareName: "Drawbridge", softwareVersion: "1")

  @Test(
    arguments: [
      ("ping", Namespace.ping, "get", "corp.test", nil),
      ("query", Namespace.version, "get", "corp.test", nil),
      ("query", Namespace.discoInfo, "get", "corp.test", nil),
      ("query", Namespace.discoItems, "get", "corp.test", nil),
      ("ping", Namespace.ping, "get", "user@corp.test", "service-unavailable"),
      ("ping", Namespace.ping, "set", "corp.test", "service-unavailable"),
      ("query", "jabber:iq:roster", "set", "user@corp.test/x", "service-unavailable"),
      ("made-up", "urn:x", "get", "corp.test", "service-unavailable"),
    ] as [(String, String, String, String, String?)])
  func queriesAreAnswered(name: String, namespace: String, type: String, to: String, condition: String?) throws {
    let answer = try #require(
      Self.queries.answer(Self.stanza(.iq, type: type, to: to, XMLElement(name, namespace: namespace))))
    #expect(answer["type"] == (condition == nil ? "result" : "error"))
    let found = answer.child("error", Namespace.server)?.elements.first { $0.namespace == Namespace.stanzaErrors }
    #expect(found?.local == condition)
  }

  @Test func queriesThatAreNone() {
    let ping = XMLElement("ping", namespace: Namespace.ping)
    #expect(Self.queries.answer(Self.stanza(.iq, type: "result", ping)) == nil)
    #expect(Self.queries.answer(Self.stanza(.iq, type: "error", ping)) == nil)
    #expect(Self.queries.answer(Self.stanza(.iq, type: nil, ping)) == nil)
    #expect(Self.queries.answer(Self.stanza(.iq, type: "made-up", ping)) == nil)
    for stanza in [
      Self.stanza(.iq, type: "get"), Self.stanza(.iq, type: "get", ping, ping),
      Self.stanza(.iq, type: "get", id: nil, ping),
    ] {
      #expect(
        Self.queries.answer(stanza)?.child("error", Namespace.server)?.child("bad-request", Namespace.stanzaErrors)
          != nil)
    }
    let node = XMLElement("query", namespace: Namespace.discoInfo, attributes: [("node", "x")])
    #expect(Self.queries.answer(Self.stanza(.iq, type: "get", node))?["type"] == "error")
  }
}

@Suite struct DeliveryConfirmationTests {
  /// XEP-0198 §4: the count starts over at 2^32; here by large steps, without sending so many.
  @Test func countIsModulo() {
    var confirmation = DeliveryConfirmation(method: .acknowledgements)
    let now = StreamTime(milliseconds: 0)
    confirmation.sent(1)
    let ahead = confirmation.acknowledged(.max, now: now)
    #expect(ahead == nil)
    let none = confirmation.acknowledged(0, now: now)
    #expect(none == [])
    let first = confirmation.acknowledged(1, now: now)
    #expect(first == [1])
    let behind = confirmation.acknowledged(0, now: now)
    #expect(behind == nil)
  }

  @Test func longStreams() {
    var confirmation = DeliveryConfirmation(method: .acknowledgements)
    let now = StreamTime(milliseconds: 0)
    var confirmed: [UInt64] = []
    for token in UInt64(1)...10_000 {
      confirmation.sent(token)
      if token % 3 == 0 { confirmed += confirmation.acknowledged(UInt32(token - 1), now: now) ?? [] }
    }
    #expect(confirmed == Array(1...9998))
    #expect(confirmation.unconfirmed == 2)
    #expect(confirmation.sentCount == 10_000)
  }

  @Test func deadlineCountsFromTheLastProgress() {
    var confirmation = DeliveryConfirmation(method: .acknowledgements)
    func at(_ seconds: Int64) -> StreamTime { StreamTime(milliseconds: seconds * 1000) }
    confirmation.sent(1)
    #expect(!confirmation.isOverdue(now: at(100), limit: .seconds(15)))
    let asks = confirmation.ask(now: at(0), repeatAfter: .seconds(1))
    #expect(asks)
    confirmation.sent(2)
    let one = confirmation.acknowledged(1, now: at(10))
    #expect(one == [1])
    #expect(!confirmation.isOverdue(now: at(24), limit: .seconds(15)))
    #expect(confirmation.isOverdue(now: at(25), limit: .seconds(15)))
    let two = confirmation.acknowledged(2, now: at(25))
    #expect(two == [2])
    #expect(!confirmation.isOverdue(now: at(99), limit: .seconds(15)))
  }
}
