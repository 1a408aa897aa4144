import Testing
import XMLStreaming
import XMPPCore

@Suite struct OutboundStreamTests {
  static let tls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
  static let external =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
  static let dialback = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
  static let sm = "<sm xmlns='urn:xmpp:sm:3'/>"
  static func features(_ features: String...) -> String {
    Initiator.header + "<stream:features>\(features.joined())</stream:features>"
  }

  /// Secured, with the features still to come.
  static func secured(
    _ policy: StreamPolicy = StreamPolicy(), tryExternal: Bool = true,
    identity: PeerIdentity = .certificate(for: "partner.test")
  ) -> Initiator {
    var initiator = Initiator(policy: policy, tryExternal: tryExternal)
    initiator.start()
    initiator.receive(features(tls))
    initiator.receive("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    initiator.secure(identity)
    initiator.sent = ""
    return initiator
  }

  static func established(acknowledged: Bool = true) -> Initiator {
    var initiator = secured()
    initiator.receive(features(external))
    initiator.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    initiator.receive(features(acknowledged ? sm : ""))
    if acknowledged { initiator.receive("<enabled xmlns='urn:xmpp:sm:3'/>") }
    initiator.sent = ""
    return initiator
  }

  @Test func sendsItsNameForOldServers() {
    var initiator = Self.secured()
    initiator.receive(Self.features(Self.external))
    // XEP-0178 §3: base64 of corp.test
    #expect(
      initiator.sent == "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>Y29ycC50ZXN0</auth>")
  }

  @Test func downgradeByStrippingSTARTTLS() {
    for features in ["", Self.external, Self.dialback] {
      var initiator = Initiator(policy: StreamPolicy(requireTLS: true, allowDialback: true))
      initiator.start()
      initiator.receive(Self.features(features))
      #expect(initiator.failure?.stage == .negotiation)
      #expect(!initiator.sent.contains("db:result"))
    }
  }

  @Test func preHistoricServer() {
    let header = Initiator.header.replacing(" to='corp.test' version='1.0'", with: "")
    var strict = Initiator()
    strict.start()
    strict.receive(header)
    #expect(strict.isClosed)
    var open = Initiator(policy: StreamPolicy(requireTLS: false, allowDialback: true))
    open.start()
    open.receive(header)
    #expect(open.sent.contains("<db:result from='corp.test' to='partner.test'>"))
  }

  /// The certificate decides unless dialback is allowed.
  @Test(
    arguments: [
      (PeerIdentity.certificate(for: "partner.test"), false, nil),
      (.certificate(for: "other.test"), false, "certificate is not valid for partner.test"),
      (.certificate(for: "partner.test", untrusted: "certificate expired on 2026-01-02"), false, "expired"),
      (.certificate(for: "other.test"), true, nil),
    ] as [(PeerIdentity, Bool, String?)])
  func certificates(identity: PeerIdentity, dialback: Bool, cause: String?) {
    let initiator = Self.secured(StreamPolicy(allowDialback: dialback), identity: identity)
    #expect(initiator.isClosed == (cause != nil))
    #expect(initiator.failure?.stage == (cause == nil ? nil : .certificate))
    if let cause { #expect(initiator.failure?.cause.contains(cause) == true) }
  }

  @Test func featuresInjectedBeforeTLSEndTheStream() {
    var initiator = Initiator()
    initiator.start()
    initiator.receive(Self.features(Self.tls))
    initiator.receive(
      "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features>\(Self.external)</stream:features>")
    #expect(initiator.failure?.cause.contains("in the clear") == true)
    #expect(initiator.isClosed)
    #expect(!initiator.sent.contains("<auth"))
  }

  @Test func nothingIsOffered() {
    var initiator = Self.secured()
    initiator.receive(Self.features(Self.dialback))
    #expect(initiator.failure?.stage == .authentication)
    #expect(initiator.failure?.isPermanent == true)
    #expect(initiator.failure?.cause.contains("dialback") == true)
  }

  @Test func refusedCertificate() {
    let failure =
      "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>expired</text></failure>"
    var strict = Self.secured()
    strict.receive(Self.features(Self.external))
    strict.receive(failure)
    #expect(strict.failure?.cause == "partner.test refused our certificate: not-authorized (expired)")
    #expect(strict.failure?.isPermanent == true)

    var open = Self.secured(StreamPolicy(allowDialback: true))
    open.receive(Self.features(Self.external, Self.dialback))
    open.receive(failure)
    #expect(open.machine.externalRefused)
    #expect(open.sent.contains("<db:result "))
  }

  @Test func challengeIsAnsweredEmpty() {
    var initiator = Self.secured()
    initiator.receive(Self.features(Self.external))
    initiator.sent = ""
    initiator.receive("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    #expect(initiator.sent == "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>")
  }

  /// A12: only the answer to the open question counts.
  @Test(arguments: [
    "<db:result from='partner.test' to='other.test' type='valid'/>",
    "<db:result from='evil.test' to='corp.test' type='valid'/>",
    "<db:result from='corp.test' to='partner.test' type='valid'/>",
    "<db:verify from='partner.test' to='corp.test' id='their-1' type='valid'/>",
    "<db:result from='partner.test' to='corp.test'>key</db:result>",
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<enabled xmlns='urn:xmpp:sm:3'/>",
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<message from='a@partner.test' to='b@corp.test'><body>x</body></message>",
  ])
  func unsolicited(answer: String) {
    var initiator = Self.secured(StreamPolicy(allowDialback: true), tryExternal: false)
    initiator.receive(Self.features(Self.external, Self.dialback))
    #expect(initiator.sent.contains("<db:result "))
    initiator.sent = ""
    initiator.receive(answer)
    #expect(initiator.established == nil)
    #expect(initiator.sent.isEmpty)
    initiator.receive("<db:result from='Partner.test' to='corp.test' type='valid'/>")
    #expect(initiator.established?.0 == .dialback)
  }

  @Test func answersBeforeAnyQuestion() {
    var initiator = Initiator(policy: StreamPolicy(requireTLS: false, allowDialback: true))
    initiator.start()
    initiator.receive(Initiator.header + "<db:result from='partner.test' to='corp.test' type='valid'/>")
    initiator.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    #expect(initiator.established == nil)
    #expect(!initiator.isClosed)
  }

  @Test(arguments: [
    ("host-unknown", StanzaError.Condition.remoteServerNotFound, true),
    ("not-authorized", .remoteServerTimeout, true),
    ("policy-violation", .remoteServerTimeout, true),
    ("system-shutdown", .remoteServerTimeout, false),
    ("resource-constraint", .remoteServerTimeout, false),
    ("x-unheard-of", .remoteServerTimeout, false),
  ])
  func streamErrors(name: String, condition: StanzaError.Condition, permanent: Bool) {
    var initiator = Initiator()
    initiator.start()
    initiator.receive(
      Initiator.header.replacing("from='partner.test'", with: "from=''")
        + "<stream:error><\(name) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        + "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>because</text></stream:error></stream:stream>")
    #expect(initiator.failure?.condition == condition)
    #expect(initiator.failure?.isPermanent == permanent)
    #expect(initiator.failure?.cause.contains("because") == true)
  }

  @Test func anotherServerAnswers() {
    var initiator = Initiator()
    initiator.start()
    initiator.receive(Self.features(Self.tls).replacing("from='partner.test'", with: "from='other.test'"))
    #expect(initiator.failure?.cause == "partner.test answered as 'other.test'")
  }

  @Test func silentServer() {
    var initiator = Initiator()
    initiator.start()
    initiator.pass(.seconds(29))
    #expect(!initiator.isClosed)
    initiator.pass(.seconds(1))
    #expect(initiator.failure?.isPermanent == false)
  }

  // MARK: Confirmation

  @Test func oneRequestForManyStanzas() {
    var initiator = Self.established()
    initiator.deliver(1)
    initiator.deliver(2)
    initiator.flush()
    initiator.deliver(3)
    initiator.flush()
    #expect(initiator.sent.components(of: "<r ") == 1)
    initiator.receive("<a xmlns='urn:xmpp:sm:3' h='2'/>")
    #expect(initiator.confirmed == [1, 2])
    // The third came after the question: asked again at once.
    #expect(initiator.sent.components(of: "<r ") == 2)
    initiator.receive("<a xmlns='urn:xmpp:sm:3' h='3'/>")
    #expect(initiator.confirmed == [1, 2, 3])
    initiator.pass(.seconds(30))
    #expect(!initiator.isClosed)
    #expect(initiator.sent.components(of: "<r ") == 2)
  }

  @Test func stanzasNobodyWaitsForAreCounted() {
    var initiator = Self.established()
    initiator.deliver(nil)
    initiator.flush()
    #expect(!initiator.sent.contains("<r "))
    initiator.deliver(5)
    initiator.flush()
    initiator.receive("<a xmlns='urn:xmpp:sm:3' h='1'/>")
    #expect(initiator.confirmed.isEmpty)
    initiator.receive("<a xmlns='urn:xmpp:sm:3' h='2'/>")
    #expect(initiator.confirmed == [5])
  }

  @Test func peerThatHasNotProcessedIsAskedAgainAndGivenUp() {
    var initiator = Self.established()
    initiator.deliver(1)
    initiator.flush()
    for _ in 0..<14 {
      initiator.receive("<a xmlns='urn:xmpp:sm:3' h='0'/>")
      initiator.pass(.seconds(1))
      #expect(!initiator.isClosed)
    }
    #expect(initiator.sent.components(of: "<r ") == 15)
    initiator.pass(.seconds(1))
    #expect(initiator.failure?.stage == .confirmation)
    #expect(initiator.confirmed.isEmpty)
  }

  /// A25: counts that cannot be true.
  @Test(arguments: ["3", "4294967295", "0", "-1", "x", ""])
  func impossibleCounts(h: String) {
    var initiator = Self.established()
    initiator.deliver(1)
    initiator.deliver(2)
    initiator.flush()
    initiator.receive("<a xmlns='urn:xmpp:sm:3' h='1'/>")
    #expect(initiator.confirmed == [1])
    initiator.receive("<a xmlns='urn:xmpp:sm:3' h='\(h)'/>")
    #expect(initiator.failure?.stage == .stream)
    #expect(initiator.sent.contains("<undefined-condition "))
    #expect(initiator.confirmed == [1])
  }

  @Test func pingsConfirmWhatWentBefore() {
    var initiator = Self.established(acknowledged: false)
    #expect(initiator.established?.1 == .pings)
    initiator.deliver(1)
    initiator.deliver(2)
    initiator.flush()
    initiator.deliver(3)
    initiator.flush()
    #expect(initiator.sent.components(of: "urn:xmpp:ping") == 1)
    let wrong = initiator.answered("ping-2")
    #expect(!wrong)
    let right = initiator.answered("ping-1")
    #expect(right)
    #expect(initiator.confirmed == [1, 2])
    #expect(initiator.sent.components(of: "urn:xmpp:ping") == 2)
    let again = initiator.answered("ping-1")
    #expect(!again)
    let last = initiator.answered("ping-2")
    #expect(last)
    #expect(initiator.confirmed == [1, 2, 3])
  }

  @Test func unansweredPingEndsTheStream() {
    var initiator = Self.established(acknowledged: false)
    initiator.deliver(1)
    initiator.flush()
    initiator.pass(.seconds(14))
    #expect(!initiator.isClosed)
    initiator.pass(.seconds(1))
    #expect(initiator.failure?.stage == .confirmation)
    #expect(initiator.failure?.isPermanent == false)
  }

  @Test func refusedStreamManagementLeavesPings() {
    var initiator = Self.secured()
    initiator.receive(Self.features(Self.external))
    initiator.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    initiator.receive(Self.features(Self.sm))
    initiator.receive("<failed xmlns='urn:xmpp:sm:3'/>")
    #expect(initiator.established?.1 == .pings)
  }

  // MARK: Ends

  @Test func idleStreamIsKeptAliveThenClosed() {
    var initiator = Self.established()
    initiator.pass(.seconds(60))
    #expect(initiator.sent == " ")
    for _ in 0..<8 { initiator.pass(.seconds(60)) }
    #expect(!initiator.isLeaving)
    initiator.pass(.seconds(60))
    #expect(initiator.isLeaving)
    #expect(initiator.sent.hasSuffix("</stream:stream>"))
    #expect(!initiator.isClosed)
    initiator.pass(.seconds(5))
    #expect(initiator.isClosed)
    #expect(initiator.failure == nil)
  }

  @Test func peerClosing() {
    var idle = Self.established()
    idle.receive("</stream:stream>")
    #expect(idle.isClosed)
    #expect(idle.failure == nil)
    #expect(idle.sent == "</stream:stream>")
    var busy = Self.established()
    busy.deliver(1)
    busy.receive("</stream:stream>")
    #expect(busy.failure?.stage == .stream)
    #expect(busy.failure?.isPermanent == false)
  }

  @Test func brokenConnection() {
    var idle = Self.established()
    let quiet = idle.machine.disconnected(cause: "reset")
    #expect(quiet == nil)
    var busy = Self.established()
    busy.deliver(1)
    let loss = busy.machine.disconnected(cause: "reset")
    #expect(loss?.cause == "partner.test reset")
    var early = Initiator()
    early.start()
    let failure = early.machine.disconnected(cause: "reset")
    #expect(failure?.stage == .negotiation)
    let again = early.machine.disconnected(cause: "reset")
    #expect(again == nil)
  }

  @Test func limitsHoldForThoseWeDial() {
    var initiator = Initiator()
    initiator.start()
    initiator.receive(Initiator.header + "<stream:features>" + String(repeating: "<x/>", count: 100))
    #expect(initiator.failure?.stage == .negotiation)
    #expect(initiator.sent.contains("<policy-violation "))
  }
}

extension String {
  func components(of part: String) -> Int { ranges(of: part).count }
}
