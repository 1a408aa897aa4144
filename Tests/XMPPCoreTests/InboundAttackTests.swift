import Testing
import XMLStreaming
import XMPPCore

@Suite struct InboundAttackTests {
  static let startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
  static let message = "<message from='a@partner.test' to='b@corp.test'><body>x</body></message>"

  @Test(arguments: [
    (Receiver.header(to: nil), StreamError.Condition.improperAddressing),
    (Receiver.header(from: nil), .improperAddressing),
    (Receiver.header(to: "unknown.test"), .hostUnknown),
    (Receiver.header(to: ""), .hostUnknown),
    (Receiver.header(from: ""), .improperAddressing),
    (Receiver.header(from: "stranger.test"), .policyViolation),
    (Receiver.header(from: "sub.partner.test"), .policyViolation),
    // A19: one of our own domains, this one or another.
    (Receiver.header(from: "corp.test"), .invalidFrom),
    (Receiver.header(from: "OTHER.test."), .invalidFrom),
    (Receiver.header(version: nil), .unsupportedVersion),
    (Receiver.header(version: "0.9"), .unsupportedVersion),
    (Receiver.header(version: "1"), .unsupportedVersion),
    (Receiver.header(version: "x.y"), .unsupportedVersion),
    (Receiver.header(xmlns: "jabber:client"), .invalidNamespace),
    (Receiver.header(streams: "http://example.org/streams"), .invalidNamespace),
  ])
  func headers(header: String, condition: StreamError.Condition) {
    var receiver = Receiver()
    receiver.receive(header)
    #expect(receiver.error == condition)
    // RFC 6120 §4.9.1.2: the error is in a stream of ours, which is closed.
    #expect(receiver.sent.hasPrefix("<?xml version='1.0'?><stream:stream "))
    #expect(
      receiver.sent.contains("<stream:error><\(condition.rawValue) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"))
    #expect(receiver.sent.hasSuffix("</stream:stream>"))
  }

  @Test func higherVersionIsAccepted() {
    var receiver = Receiver()
    receiver.receive(Receiver.header(version: "1.7"))
    #expect(receiver.end == nil)
    #expect(receiver.sent.contains("version='1.0'"))
  }

  /// A28.
  @Test(arguments: ["message", "presence", "iq"])
  func stanzasBeforeAuthentication(name: String) {
    for secured in [false, true] {
      var receiver = Receiver()
      receiver.receive(Receiver.header)
      if secured {
        receiver.receive(Self.startTLS)
        receiver.secure(.certificate(for: "partner.test"))
        receiver.receive(Receiver.header)
      }
      receiver.receive("<\(name) from='a@partner.test' to='b@corp.test' type='get' id='1'/>")
      #expect(receiver.error == .notAuthorized)
      #expect(receiver.stanzas.isEmpty)
    }
  }

  /// A23: nothing may follow `<starttls/>` in the clear.
  @Test(arguments: [message, "<iq/>", Receiver.header, "</stream:stream>", "<", "garbage"])
  func injectionBehindSTARTTLS(text: String) {
    var receiver = Receiver()
    receiver.receive(Receiver.header)
    receiver.receive(Self.startTLS + text)
    #expect(receiver.startedTLS)
    // What did not end the stream yet is forgotten with the parser.
    if receiver.end == nil {
      receiver.secure(.certificate(for: "partner.test"))
      receiver.sent = ""
      receiver.receive(Receiver.header)
      #expect(receiver.sent.contains("EXTERNAL"))
    }
    #expect(receiver.stanzas.isEmpty)
    #expect(!receiver.machine.isAuthenticated)
  }

  @Test func STARTTLSTwice() {
    var receiver = Receiver()
    receiver.receive(Receiver.header)
    receiver.receive(Self.startTLS)
    receiver.secure(.certificate(for: "partner.test"))
    receiver.receive(Receiver.header + Self.startTLS)
    #expect(receiver.error == .policyViolation)
  }

  /// A17, CVE-2018-10847: after TLS and after SASL.
  @Test(arguments: [
    (Receiver.header(from: "second.test"), StreamError.Condition.invalidFrom),
    (Receiver.header(to: "other.test"), .improperAddressing),
    (Receiver.header(from: nil), .improperAddressing),
    (Receiver.header(xmlns: "jabber:client"), .invalidNamespace),
  ])
  func changedHeader(header: String, condition: StreamError.Condition) {
    let policies = ["partner.test": StreamPolicy(), "second.test": StreamPolicy()]
    for authenticated in [false, true] {
      var receiver = Receiver(policies: policies)
      receiver.receive(Receiver.header)
      receiver.receive(Self.startTLS)
      receiver.secure(.certificate(for: "partner.test", "second.test"))
      if authenticated {
        receiver.receive(Receiver.header)
        receiver.receive("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
      }
      receiver.receive(header)
      #expect(receiver.error == condition)
    }
  }

  /// A18 and §8.1: who may not send what to whom.
  @Test(arguments: [
    ("a@evil.test", "b@corp.test", StreamError.Condition.invalidFrom),
    ("a@sub.partner.test", "b@corp.test", .invalidFrom),
    ("a@test", "b@corp.test", .invalidFrom),
    ("a@p\u{0430}rtner.test", "b@corp.test", .invalidFrom),
    ("a@corp.test", "b@corp.test", .invalidFrom),
    ("", "b@corp.test", .improperAddressing),
    ("a@", "b@corp.test", .improperAddressing),
    ("a b@evil.test", "b@corp.test", .invalidFrom),
    ("a@partner.test", "", .improperAddressing),
    ("a@partner.test", "b@other.test", .improperAddressing),
    ("a@partner.test", "b@elsewhere.test", .hostUnknown),
    ("a@partner.test", "b@@corp.test", .improperAddressing),
  ])
  func addresses(from: String, to: String, condition: StreamError.Condition) {
    var receiver = Receiver.authenticated()
    receiver.receive("<message from='\(from)' to='\(to)'><body>x</body></message>")
    #expect(receiver.error == condition)
    #expect(receiver.stanzas.isEmpty)
  }

  /// What one user is called must not end the stream of all: servers differ in the names they allow.
  @Test(arguments: [
    ("\u{2665}@partner.test", "b@corp.test"), ("a b@partner.test/r", "b@corp.test"),
    ("a@partner.test", "b b@corp.test/r"),
    ("a@partner.test", "\u{1F600}@CORP.test."), ("@partner.test", "b@corp.test"),
  ])
  func malformedNames(from: String, to: String) throws {
    var receiver = Receiver.authenticated()
    receiver.receive("<message from='\(from)' to='\(to)' id='1'><body>x</body></message>")
    receiver.receive("<message from='\(from)' to='\(to)' type='error'/>" + Self.message)
    #expect(receiver.end == nil)
    #expect(receiver.refused.map(\.number) == [1, 2])
    let answer = try #require(receiver.refused[0].answer)
    #expect(
      answer == "<message from='\(to)' to='\(from)' type='error' id='1'><error type='modify' code='400'>"
        + "<jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
    #expect(receiver.refused[1].answer == nil)
    #expect(receiver.stanzas.map(\.1) == [3])
  }

  @Test(arguments: ["", "\u{F8FF}", "a\u{200B}b", "\u{E000}"])
  func resourcesThatNoAddressCanHold(resource: String) throws {
    var receiver = Receiver.authenticated()
    receiver.receive("<message from='a@partner.test/\(resource)' to='b@corp.test/\(resource)'><body>x</body></message>")
    let stanza = try #require(receiver.stanzas.first?.0)
    #expect(stanza.from == JID("a@partner.test"))
    #expect(stanza.to == JID("b@corp.test"))
  }

  @Test func missingAddresses() {
    for text in ["<message to='b@corp.test'/>", "<message from='a@partner.test'/>", "<iq type='get' id='1'/>"] {
      var receiver = Receiver.authenticated()
      receiver.receive(text)
      #expect(receiver.error == .improperAddressing)
    }
  }

  /// The proved domain in another spelling is the same domain.
  @Test(arguments: ["a@partner.test", "a@PARTNER.test", "partner.test.", "a@Partner.Test./res"])
  func spellings(from: String) {
    var receiver = Receiver.authenticated()
    receiver.receive("<message from='\(from)' to='b@CORP.test'><body>x</body></message>")
    #expect(receiver.end == nil)
    #expect(receiver.stanzas.map(\.0.from.domain) == ["partner.test"])
  }

  /// A12: answers to questions that were never put.
  @Test(arguments: [
    "<db:result from='partner.test' to='corp.test' type='valid'/>",
    "<db:verify from='partner.test' to='corp.test' id='stream-1' type='valid'/>",
    "<db:verify from='partner.test' to='corp.test' id='x' type='valid'>k</db:verify>",
    "<db:result from='partner.test' to='corp.test' type='error'/>",
  ])
  func unsolicitedAnswers(text: String) {
    var receiver = Receiver(policies: ["partner.test": StreamPolicy(requireTLS: false, allowDialback: true)])
    receiver.receive(Receiver.header + text + Self.message)
    #expect(!receiver.machine.isAuthenticated)
    #expect(receiver.error == .notAuthorized)
    #expect(receiver.stanzas.isEmpty)
  }

  /// A15: a good certificate for one domain proves no other.
  @Test func certificateOfAnotherDomain() {
    let policies = ["partner.test": StreamPolicy(allowDialback: true), "victim.test": StreamPolicy()]
    var receiver = Receiver(policies: policies)
    receiver.receive(Receiver.header)
    receiver.receive(Self.startTLS)
    receiver.secure(.certificate(for: "partner.test"))
    receiver.receive(Receiver.header)
    receiver.receive("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>dmljdGltLnRlc3Q=</auth>")
    #expect(receiver.sent.contains("<invalid-authzid/>"))
    receiver.sent = ""
    receiver.receive("<db:result from='victim.test' to='corp.test'>key</db:result>")
    #expect(receiver.sent.contains("type='error'"))
    #expect(receiver.requests.isEmpty)
    #expect(!receiver.machine.isAuthenticated)
  }

  /// A24.
  @Test func compression() {
    var receiver = Receiver.authenticated()
    receiver.receive("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>")
    #expect(receiver.sent == "<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>")
    #expect(receiver.end == nil)
  }

  @Test(arguments: [
    (
      "<message xmlns='jabber:client' from='a@partner.test' to='b@corp.test'/>",
      StreamError.Condition.unsupportedStanzaType
    ),
    ("<query/>", .unsupportedStanzaType),
    ("<stream:features/>", .unsupportedStanzaType),
    ("<bidi xmlns='urn:xmpp:bidi'/>", .unsupportedStanzaType),
    ("<a xmlns='urn:xmpp:sm:3' h='1'/>", .undefinedCondition),
    ("<a xmlns='urn:xmpp:sm:3' h='-1'/>", .undefinedCondition),
    ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", .policyViolation),
    ("<!-- x -->", .restrictedXML),
    ("<?pi x?>", .restrictedXML),
    ("<message>&foo;</message>", .restrictedXML),
    ("</nonsense>", .notWellFormed),
    ("text", .badFormat),
  ])
  func nonsense(text: String, condition: StreamError.Condition) {
    var receiver = Receiver.authenticated()
    receiver.receive(text)
    #expect(receiver.error == condition)
  }

  @Test func negotiationMustEnd() {
    var receiver = Receiver()
    receiver.receive(Receiver.header)
    receiver.pass(.seconds(59))
    receiver.receive(" ")
    #expect(receiver.end == nil)
    receiver.pass(.seconds(1))
    #expect(receiver.error == .connectionTimeout)
  }

  @Test func saslGuessing() {
    var receiver = Receiver(policies: ["partner.test": StreamPolicy(allowDialback: true)])
    receiver.receive(Receiver.header)
    receiver.receive(Self.startTLS)
    receiver.secure(.certificate(for: "wrong.test"))
    receiver.receive(Receiver.header)
    #expect(!receiver.sent.contains("EXTERNAL"))
    for condition in ["not-authorized", "invalid-mechanism", "malformed-request"] {
      #expect(receiver.end == nil)
      receiver.sent = ""
      let request =
        switch condition {
        case "not-authorized": "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
        case "invalid-mechanism": "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AAA=</auth>"
        default: "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        }
      receiver.receive(request)
      #expect(receiver.sent.contains("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><\(condition)/></failure>"))
    }
    #expect(receiver.error == .policyViolation)
  }

  @Test(arguments: [
    ("", true), ("=", true), ("cGFydG5lci50ZXN0", true), ("UEFSVE5FUi50ZXN0", true),
    ("ZXZpbC50ZXN0", false), ("!!!!", false), ("cGFydG5lci50ZXN", false),
  ])
  func authorizationIdentity(response: String, accepted: Bool) {
    var receiver = Receiver()
    receiver.receive(Receiver.header)
    receiver.receive(Self.startTLS)
    receiver.secure(.certificate(for: "partner.test"))
    receiver.receive(Receiver.header)
    receiver.receive("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>\(response)</auth>")
    #expect(receiver.machine.isAuthenticated == accepted)
  }
}
