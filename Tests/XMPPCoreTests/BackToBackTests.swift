import Testing
import XMLStreaming
import XMPPCore

/// Our initiating against our receiving entity.
@Suite struct BackToBackTests {
  private func conversation(
    _ initiator: StreamPolicy, _ receiver: StreamPolicy, segment: Int = .max
  ) -> Conversation {
    var conversation = Conversation(
      initiator: Initiator(policy: initiator), receiver: Conversation.receiver(receiver))
    conversation.segment = segment
    return conversation
  }

  @Test(arguments: [Int.max, 1, 7])
  func certificatesOverSTARTTLS(segment: Int) {
    var both = conversation(StreamPolicy(), StreamPolicy(), segment: segment)
    both.initiator.start()
    both.run()
    #expect(both.initiator.established?.0 == .external)
    #expect(both.initiator.established?.1 == .acknowledgements)
    #expect(both.receiver.authenticated.map(\.1) == [.external])
    #expect(both.receiver.machine.pairs == [DomainPair(local: "partner.test", remote: "corp.test")])

    both.initiator.deliver(1)
    both.initiator.deliver(2)
    both.initiator.flush()
    both.run()
    #expect(both.receiver.stanzas.map(\.1) == [1, 2])
    #expect(both.initiator.confirmed.isEmpty)
    both.receiver.handled(1)
    both.receiver.handled(2)
    both.run()
    #expect(both.initiator.confirmed == [1, 2])
  }

  @Test func certificatesOverDirectTLS() {
    var both = conversation(StreamPolicy(), StreamPolicy())
    both.receiver.secure(both.initiatorIdentity)
    both.initiator.start(both.receiverIdentity)
    both.run()
    #expect(both.initiator.established?.0 == .external)
    #expect(both.receiver.machine.isAuthenticated)
  }

  @Test(arguments: [true, false])
  func dialback(tls: Bool) {
    let policy = StreamPolicy(requireTLS: tls, allowDialback: true)
    var both = conversation(policy, policy)
    both.initiatorIdentity = .certificate(for: "other.example", untrusted: "self-signed")
    both.receiverIdentity = .certificate(untrusted: "self-signed")
    both.initiator.start()
    both.run()
    #expect(both.initiator.established?.0 == .dialback)
    #expect(both.initiator.established?.1 == .pings)
    #expect(both.receiver.authenticated.map(\.1) == [.dialback])

    both.initiator.deliver(7)
    both.initiator.flush()
    both.run()
    #expect(both.receiver.stanzas.count == 2)
    #expect(ServerQueries.isPing(both.receiver.stanzas[1].0))
    let isOurs = both.initiator.answered("ping-1")
    #expect(isOurs)
    #expect(both.initiator.confirmed == [7])
  }

  @Test func dialbackWithAWrongKey() {
    let policy = StreamPolicy(requireTLS: false, allowDialback: true)
    var both = conversation(policy, policy)
    both.initiator = Initiator(policy: policy, keys: otherKeys)
    both.initiatorIdentity = .certificate(untrusted: "self-signed")
    both.initiator.start()
    both.run()
    #expect(both.initiator.failure?.stage == .authentication)
    #expect(both.initiator.failure?.isPermanent == true)
    #expect(!both.receiver.machine.isAuthenticated)
  }

  /// Who requires what, and what comes of it: nil where no stream may come about.
  @Test(arguments: [
    // (certificates good, initiator's dialback, receiver's dialback, method)
    (true, false, false, AuthenticationMethod.external),
    (true, true, true, .external),
    (false, false, true, nil),
    (false, true, false, nil),
    (false, false, false, nil),
    (false, true, true, .dialback),
  ])
  func proofs(good: Bool, out: Bool, in receiving: Bool, method: AuthenticationMethod?) {
    var both = conversation(
      StreamPolicy(allowDialback: out), StreamPolicy(allowDialback: receiving))
    if !good {
      both.initiatorIdentity = .certificate(for: "corp.test", untrusted: "certificate expired on 2026-01-02")
      both.receiverIdentity = .certificate(for: "partner.test", untrusted: "certificate expired on 2026-01-02")
    }
    both.initiator.start()
    both.run()
    #expect(both.initiator.established?.0 == method)
    #expect(both.receiver.machine.isAuthenticated == (method != nil))
    if method == nil {
      #expect(both.initiator.isClosed)
      #expect(both.initiator.failure?.isPermanent == true)
    }
  }

  @Test func keyIsConfirmedOnAStreamOfItsOwn() {
    // We ask partner.test about a key that came to us on stream `D1`; partner.test is the receiver here.
    let pair = DomainPair(local: "corp.test", remote: "partner.test")
    let key = testKeys.key(receiving: "corp.test", originating: "partner.test", streamID: "D1")
    for (asked, outcome) in [(key, DialbackOutcome.valid), ("00" + key.dropFirst(2), .invalid)] {
      let request = DialbackRequest(pair: pair, streamID: "D1", key: asked)
      let policy = StreamPolicy(allowDialback: true)
      var both = conversation(policy, policy)
      both.initiator = Initiator(policy: policy, purpose: .verification(request))
      both.initiator.start()
      both.run()
      #expect(both.initiator.verified == outcome)
      #expect(both.initiator.isClosed)
      #expect(both.initiator.failure == nil)
      #expect(!both.receiver.machine.isAuthenticated)
    }
  }

  @Test func goodByes() {
    var both = conversation(StreamPolicy(), StreamPolicy())
    both.initiator.start()
    both.run()
    both.initiator.deliver(1)
    both.initiator.flush()
    both.initiator.close()
    #expect(both.initiator.isLeaving)
    both.run()
    #expect(!both.initiator.isClosed)
    // The receiver's last acknowledgement comes before its closing tag.
    both.receiver.handled(1)
    both.run()
    #expect(both.initiator.confirmed == [1])
    #expect(both.initiator.isClosed)
    #expect(both.initiator.failure == nil)
    #expect(both.receiver.end == .closed)
  }

  @Test func receiverLeavesFirst() {
    var both = conversation(StreamPolicy(), StreamPolicy())
    both.initiator.start()
    both.run()
    both.receiver.close()
    both.run()
    #expect(both.initiator.isClosed)
    #expect(both.initiator.failure == nil)
    #expect(both.receiver.end == .closed)
  }
}
