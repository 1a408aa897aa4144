import Testing
import XMLStreaming
import XMPPCore

/// Conversations that no sane peer would hold. Nothing may crash, nothing may follow the end (the harness traps), and
/// nothing may be taken from a domain that was not proved.
@Suite struct MachineFuzzTests {
  static let pieces = [
    Receiver.header, Receiver.header(from: "second.test"), Receiver.header(version: nil), "</stream:stream>", " ", "<",
    InboundAttackTests.startTLS, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<db:result from='partner.test' to='corp.test'>k</db:result>",
    "<db:result from='second.test' to='corp.test'>k</db:result>",
    "<db:result from='partner.test' to='corp.test' type='valid'/>",
    "<db:result from='partner.test' to='corp.test' type='invalid'/>",
    "<db:verify from='partner.test' to='corp.test' id='1'>k</db:verify>",
    "<db:verify from='partner.test' to='corp.test' id='1' type='valid'/>", StreamManagementTests.enable,
    StreamManagementTests.request, "<a xmlns='urn:xmpp:sm:3' h='0'/>", "<a xmlns='urn:xmpp:sm:3' h='1'/>",
    "<enabled xmlns='urn:xmpp:sm:3'/>", "<failed xmlns='urn:xmpp:sm:3'/>", InboundAttackTests.message,
    "<message from='a@second.test' to='b@corp.test'/>", "<iq from='partner.test' to='corp.test' type='get' id='1'/>",
    "<stream:features/>", "<stream:features>\(OutboundStreamTests.tls)</stream:features>",
    "<stream:features>\(OutboundStreamTests.external)\(OutboundStreamTests.sm)</stream:features>",
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    "<compress xmlns='http://jabber.org/protocol/compress'/>", Initiator.header,
  ]

  /// What does not end a stream at once, so that some get far.
  static let harmless = pieces.filter { $0.hasPrefix("<db:") || $0.contains("urn:xmpp:sm:3' h='0'") || $0 == " " }

  struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }

  @Test(arguments: 1...8) func inbound(seed: UInt64) {
    var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15)
    let policies = [
      "partner.test": StreamPolicy(requireTLS: false, allowDialback: true), "second.test": StreamPolicy(),
    ]
    var proofs = 0
    for round in 0..<500 {
      var receiver = round % 2 == 0 ? Receiver.authenticated() : Receiver(policies: policies)
      if round % 2 == 1 { receiver.receive(Receiver.header) }
      for _ in 0..<20 where receiver.end == nil {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: receiver.pass(.seconds(Int.random(in: 0...20, using: &random)))
        case 1: receiver.handled(UInt64.random(in: 0...4, using: &random))
        case 2, 3: receiver.secure(.certificate(for: "partner.test"))
        case 4:
          let outcome = [DialbackOutcome.valid, .invalid, .failed(StanzaError(.forbidden))].randomElement(
            using: &random)!
          let remote = ["partner.test", "second.test"].randomElement(using: &random)!
          let pair = DomainPair(local: "corp.test", remote: remote)
          receiver.verified(
            DialbackRequest(pair: pair, streamID: "stream-\(Int.random(in: 1...3, using: &random))", key: "k"), outcome)
        case 5: receiver.close()
        case 6, 7: receiver.receive(Self.pieces.randomElement(using: &random)!)
        default: receiver.receive(Self.harmless.randomElement(using: &random)!)
        }
      }
      let proved = Set(receiver.authenticated.map(\.0))
      if round % 2 == 1 { proofs += proved.count }
      for (stanza, _) in receiver.stanzas {
        #expect(proved.contains(DomainPair(local: stanza.to.domain, remote: stanza.from.domain)))
      }
      // Its policy wants a certificate, and it never showed one.
      #expect(!proved.contains { $0.remote == "second.test" })
      #expect(receiver.authenticated.allSatisfy { $0.1 == .dialback || receiver.machine.identity != nil })
    }
    #expect(proofs > 0, "some get through, or nothing is tested")
  }

  @Test(arguments: 1...8) func outbound(seed: UInt64) {
    var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15)
    for round in 0..<500 {
      var initiator =
        switch round % 4 {
        case 0: OutboundStreamTests.established(acknowledged: round % 8 == 0)
        case 1: OutboundStreamTests.secured(StreamPolicy(allowDialback: true))
        default: Initiator(policy: StreamPolicy(allowDialback: round % 8 == 2))
        }
      if round % 4 > 1 { initiator.start() }
      initiator.receive(Initiator.header)
      var token: UInt64 = 0
      for _ in 0..<20 where !initiator.isClosed {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: initiator.pass(.seconds(Int.random(in: 0...20, using: &random)))
        case 1, 2: initiator.secure(.certificate(for: round % 3 == 0 ? "evil.test" : "partner.test"))
        case 3 where initiator.machine.isEstablished:
          token += 1
          initiator.deliver(token)
          initiator.flush()
        case 4: _ = initiator.answered("ping-1")
        case 5: initiator.close()
        default: initiator.receive(Self.pieces.randomElement(using: &random)!)
        }
      }
      #expect(initiator.established == nil || initiator.machine.isSecured)
      #expect(initiator.confirmed == Array(initiator.confirmed.sorted()))
      #expect(initiator.confirmed.allSatisfy { $0 <= token })
    }
  }
}
