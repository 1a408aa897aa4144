import Testing
import XMPPCore

@Suite struct InboundDialbackTests {
  static let open = StreamPolicy(requireTLS: false, allowDialback: true)

  private func receiver(_ domains: [String] = ["partner.test"], limits: InboundLimits = InboundLimits()) -> Receiver {
    var receiver = Receiver(
      policies: Dictionary(uniqueKeysWithValues: domains.map { ($0, Self.open) }), limits: limits)
    receiver.receive(Receiver.header)
    receiver.sent = ""
    return receiver
  }

  @Test func severalDomainsOnOneStream() {
    var receiver = receiver(["partner.test", "chat.partner.test"])
    receiver.receive("<db:result from='partner.test' to='corp.test'>\n  k1\n</db:result>")
    receiver.receive("<db:result from='chat.partner.test' to='corp.test'>k2</db:result>")
    #expect(receiver.requests.map(\.key) == ["k1", "k2"])
    #expect(receiver.requests.map(\.streamID) == ["stream-1", "stream-1"])
    receiver.verified(receiver.requests[1], .valid)
    #expect(receiver.sent == "<db:result from='corp.test' to='chat.partner.test' type='valid'/>")
    receiver.receive("<message from='room@chat.partner.test' to='b@corp.test'/>")
    #expect(receiver.stanzas.count == 1)
    // The other domain has not been proved by this.
    receiver.receive("<message from='a@partner.test' to='b@corp.test'/>")
    #expect(receiver.error == .invalidFrom)
  }

  @Test(arguments: [
    (DialbackOutcome.invalid, "<db:result from='corp.test' to='partner.test' type='invalid'/>"),
    (
      .failed(StanzaError(.remoteServerNotFound)),
      "<db:result from='corp.test' to='partner.test' type='error'><error type='cancel' code='404'>"
        + "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"
    ),
  ])
  func refusals(outcome: DialbackOutcome, answer: String) {
    var receiver = receiver()
    receiver.receive("<db:result from='partner.test' to='corp.test'>k</db:result>")
    receiver.verified(receiver.requests[0], outcome)
    #expect(receiver.sent == answer)
    #expect(!receiver.machine.isAuthenticated)
    #expect(receiver.end == nil)
  }

  @Test(arguments: [
    ("from='partner.test' to='unknown.test'", "item-not-found"),
    ("from='stranger.test' to='corp.test'", "policy-violation"),
    ("from='other.test' to='corp.test'", "not-authorized"),
    ("from='strict.test' to='corp.test'", "not-authorized"),
    ("from='tls.test' to='corp.test'", "policy-violation"),
  ])
  func requestsNotFollowed(attributes: String, condition: String) {
    var receiver = Receiver(policies: [
      "partner.test": Self.open, "strict.test": StreamPolicy(requireTLS: false),
      "tls.test": StreamPolicy(requireTLS: true, allowDialback: true),
    ])
    receiver.receive(Receiver.header)
    receiver.sent = ""
    receiver.receive("<db:result \(attributes)>k</db:result>")
    #expect(receiver.sent.contains("type='error'"))
    #expect(receiver.sent.contains("<\(condition) "))
    #expect(receiver.requests.isEmpty)
    #expect(receiver.end == nil)
  }

  /// A16: N questions at a time, and not N+1.
  @Test func pendingVerificationsAreCapped() {
    var limits = InboundLimits()
    limits.pendingVerifications = 2
    var receiver = receiver(["partner.test", "a.test", "b.test", "c.test"], limits: limits)
    for domain in ["a.test", "b.test"] {
      receiver.receive("<db:result from='\(domain)' to='corp.test'>k</db:result>")
    }
    // Asked again: the same question.
    receiver.receive("<db:result from='a.test' to='corp.test'>k</db:result>")
    #expect(receiver.requests.count == 2)
    #expect(receiver.sent.isEmpty)
    receiver.receive("<db:result from='c.test' to='corp.test'>k</db:result>")
    #expect(receiver.requests.count == 2)
    #expect(receiver.sent.contains("<resource-constraint "))
    receiver.verified(receiver.requests[0], .invalid)
    receiver.receive("<db:result from='c.test' to='corp.test'>k</db:result>")
    #expect(receiver.requests.count == 3)
  }

  @Test func answersComeTooLateOrForNothing() {
    var receiver = receiver()
    let request = DialbackRequest(
      pair: DomainPair(local: "corp.test", remote: "partner.test"), streamID: "stream-1", key: "k")
    receiver.verified(request, .valid)
    #expect(!receiver.machine.isAuthenticated)
    receiver.receive("<db:result from='partner.test' to='corp.test'>k</db:result>")
    receiver.close()
    receiver.sent = ""
    receiver.verified(request, .valid)
    #expect(!receiver.machine.isAuthenticated)
    #expect(receiver.sent.isEmpty)
  }

  /// A key that came in the clear proves nothing about who speaks under TLS.
  @Test func answersAboutAnEarlierStream() {
    var receiver = receiver()
    receiver.receive("<db:result from='partner.test' to='corp.test'>k</db:result>")
    let early = receiver.requests[0]
    receiver.receive(InboundAttackTests.startTLS)
    receiver.secure(.certificate(for: "wrong.test"))
    receiver.receive(Receiver.header)
    receiver.verified(early, .valid)
    #expect(!receiver.machine.isAuthenticated)
    // The question can be put anew, and only its own answer counts.
    receiver.receive("<db:result from='partner.test' to='corp.test'>k</db:result>")
    #expect(receiver.requests.count == 2)
    receiver.verified(early, .valid)
    #expect(!receiver.machine.isAuthenticated)
    receiver.verified(receiver.requests[1], .valid)
    #expect(receiver.machine.isAuthenticated)
  }

  /// A restart in the middle of a proved stream would mix up what is counted.
  @Test func noSASLAfterDialback() {
    var receiver = Receiver(policies: ["partner.test": Self.open])
    receiver.receive(Receiver.header)
    receiver.receive(InboundAttackTests.startTLS)
    receiver.secure(.certificate(for: "partner.test"))
    receiver.receive(Receiver.header)
    receiver.receive("<db:result from='partner.test' to='corp.test'>k</db:result>")
    receiver.verified(receiver.requests[0], .valid)
    receiver.receive("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
    #expect(receiver.error == .policyViolation)
  }

  @Test func authoritativeServer() {
    var receiver = receiver()
    let key = testKeys.key(receiving: "partner.test", originating: "corp.test", streamID: "abc")
    receiver.receive("<db:verify from='partner.test' to='corp.test' id='abc'>\(key)</db:verify>")
    let answer1 = receiver.takeSent()
    #expect(answer1 == "<db:verify from='corp.test' to='partner.test' type='valid' id='abc'/>")
    receiver.receive("<db:verify from='partner.test' to='corp.test' id='abd'>\(key)</db:verify>")
    let answer2 = receiver.takeSent()
    #expect(answer2 == "<db:verify from='corp.test' to='partner.test' type='invalid' id='abd'/>")
    receiver.receive("<db:verify from='partner.test' to='unknown.test' id='abc'>\(key)</db:verify>")
    let answer3 = receiver.takeSent()
    #expect(answer3.contains("<item-not-found "))
    #expect(receiver.end == nil)
  }

  @Test func keysAreConfirmedOnlySoOften() {
    var limits = InboundLimits()
    limits.confirmedKeys = 3
    var receiver = receiver(limits: limits)
    for _ in 0..<3 { receiver.receive("<db:verify from='partner.test' to='corp.test' id='a'>k</db:verify>") }
    #expect(receiver.end == nil)
    receiver.receive("<db:verify from='partner.test' to='corp.test' id='a'>k</db:verify>")
    #expect(receiver.error == .policyViolation)
  }

  @Test func longKeys() {
    for (length, refused) in [(512, false), (513, true)] {
      var receiver = receiver()
      let key = String(repeating: "k", count: length)
      receiver.receive("<db:result from='partner.test' to='corp.test'>\(key)</db:result>")
      #expect((receiver.error == .policyViolation) == refused)
    }
  }
}
