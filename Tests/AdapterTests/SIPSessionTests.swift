import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// Instant message sessions in the manner of Skype for Business.
@Suite struct SIPSessionTests {
  private static let contact: [(HeaderName, String)] = [
    (.contact, "<sip:bob@corp.test;opaque=user:epid:Zz;gruu>"),
    (.recordRoute, "<sip:fe.corp.test;lr;ms-route-sig=a/b=>"),
  ]

  /// A session that we opened, with its first message confirmed.
  private func established() throws -> SIPHarness {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    let invite = try found(harness.nextRequest())
    harness.reply(to: invite, 200, adding: Self.contact)
    _ = harness.nextRequest()
    let message = try found(harness.nextRequest())
    harness.reply(to: message, 200)
    harness.events.removeAll()
    return harness
  }

  /// A session that bob opened.
  private func invited(_ mode: SIPConfiguration.Mode = .session) throws -> (SIPHarness, tag: String) {
    var harness = SIPHarness(SIPHarness.configuration(mode))
    harness.open()
    harness.feed(SIPHarness.invite())
    let ok = try found(harness.nextResponse())
    #expect(ok.status == 200)
    let tag = try found(NameAddr(ok.headers.string(.to) ?? "")?.tag)
    harness.feed(inside("ACK", tag: tag))
    return (harness, tag)
  }

  private func inside(
    _ method: String, tag: String, branch: String = "d1", cSeq: Int = 1, type: String? = nil, body: String = ""
  ) -> String {
    SIPHarness.request(
      method, branch: branch, callID: "s1", cSeq: cSeq, to: "<sip:alice@partner.test>;tag=\(tag)",
      uri: "sip:gw.corp.test:5061", type: type, body: body)
  }

  @Test func aSessionIsOpenedForTheFirstMessage() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    harness.deliver("two")
    let invite = try found(harness.nextRequest())
    #expect(invite.method == .invite)
    #expect(invite.uriText == "sip:bob@corp.test")
    #expect(invite.headers.string(.contentType) == "application/sdp")
    #expect(invite.headers.contains(.msConversationID))
    #expect(invite.headers.string(.contact) == "<sip:gw.corp.test:5061;transport=tls>")
    #expect(invite.headers.string(.from)?.contains(";epid=") == true)
    #expect(String(decoding: invite.body, as: UTF8.self).contains("m=message 5060 sip null\r\n"))
    #expect(harness.sent.isEmpty)

    harness.reply(to: invite, 180)
    harness.reply(to: invite, 200, adding: Self.contact)
    let ack = try found(harness.nextRequest())
    #expect(ack.method == .ack)
    #expect(ack.uriText == "sip:bob@corp.test;opaque=user:epid:Zz;gruu")
    #expect(ack.headers.strings(.route) == ["<sip:fe.corp.test;lr;ms-route-sig=a/b=>"])
    let first = try found(harness.nextRequest())
    #expect(first.body == Array("one".utf8))
    #expect(try first.essentials().cSeq == CSeq(2, .message))
    #expect(harness.sent.isEmpty)
    harness.reply(to: first, 200)
    let second = try found(harness.nextRequest())
    #expect(second.body == Array("two".utf8))
    #expect(try second.essentials().callID == invite.essentials().callID)
    harness.reply(to: second, 200)
    #expect(harness.takeEvents() == ["delivered 1", "delivered 2"])
  }

  @Test func everySessionHasItsOwnConversationID() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    var seen: Set<String> = []
    for index in 0..<20 {
      harness.deliver("x", to: Address(user: "u\(index)", domain: "corp.test"))
      seen.insert(try found(harness.nextRequest()?.headers.string(.msConversationID)))
    }
    #expect(seen.count == 20)
  }

  @Test func aRepeated200IsAcknowledgedAgainAndAForkHungUp() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    let invite = try found(harness.nextRequest())
    harness.reply(to: invite, 200, tag: "x", adding: Self.contact)
    harness.sent.removeAll()
    harness.reply(to: invite, 200, tag: "x", adding: Self.contact)
    #expect(harness.nextRequest()?.method == .ack)
    #expect(harness.sent.isEmpty)
    harness.reply(to: invite, 200, tag: "y", adding: Self.contact)
    #expect(harness.nextRequest()?.method == .ack)
    #expect(harness.nextRequest()?.method == .bye)
  }

  @Test(arguments: [
    (486, "refused 1 recipient-unavailable"), (404, "refused 1 item-not-found"),
    (603, "refused 1 recipient-unavailable"),
    (606, "refused 1 not-acceptable"), (503, "deferred [1, 2] internal-server-error"),
  ])
  func aRefusedInvite(status: Int, expected: String) throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    harness.deliver("two")
    let invite = try found(harness.nextRequest())
    harness.reply(to: invite, status)
    #expect(harness.nextRequest()?.method == .ack)
    #expect(harness.takeEvents() == [expected])
    // Each message gets its own answer, so the next one asks anew.
    if status != 503 { #expect(harness.nextRequest()?.method == .invite) }
    #expect(harness.sent.isEmpty)
  }

  @Test(arguments: [415, 488]) func noSessionsFallsBackToPageMode(status: Int) throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    harness.deliver("two")
    harness.reply(to: try found(harness.nextRequest()), status)
    #expect(harness.nextRequest()?.method == .ack)
    let message = try found(harness.nextRequest())
    #expect(message.method == .message)
    #expect(try message.essentials().toTag == nil)
    harness.reply(to: message, 200)
    // Remembered for a while.
    #expect(harness.nextRequest()?.method == .message)
    #expect(harness.takeEvents() == ["delivered 1"])
  }

  @Test func glareIsTriedAgainAndThenGivenUp() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    for attempt in 1...3 {
      let invite = try found(harness.nextRequest())
      #expect(invite.method == .invite)
      harness.reply(to: invite, 491)
      #expect(harness.nextRequest()?.method == .ack)
      if attempt < 3 { harness.pass(.seconds(4)) }
    }
    #expect(harness.takeEvents() == ["refused 1 unexpected-request"])
  }

  @Test func aLongRingIsCancelled() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    let invite = try found(harness.nextRequest())
    harness.reply(to: invite, 180)
    for _ in 0..<61 {
      harness.pass(.seconds(1))
      while let next = harness.sent.first?.message, case .request(let request) = next, request.method == .options {
        harness.sent.removeFirst()
        harness.reply(to: request, 200)
      }
    }
    let cancel = try found(harness.nextRequest())
    #expect(cancel.method == .cancel)
    #expect(try cancel.essentials().via.branch == invite.essentials().via.branch)
    #expect(harness.takeEvents() == ["refused 1 recipient-unavailable"])
    harness.reply(to: invite, 200, adding: Self.contact)
    #expect(harness.nextRequest()?.method == .ack)
    #expect(harness.nextRequest()?.method == .bye)
  }

  @Test(arguments: [408, 480, 481]) func aDeadDialogIsReplacedOnce(status: Int) throws {
    var harness = try established()
    harness.deliver("two")
    harness.reply(to: try found(harness.nextRequest()), status)
    if status != 481 { #expect(harness.nextRequest()?.method == .bye) }
    let invite = try found(harness.nextRequest())
    #expect(invite.method == .invite)
    harness.reply(to: invite, 200, tag: "new", adding: Self.contact)
    #expect(harness.nextRequest()?.method == .ack)
    let again = try found(harness.nextRequest())
    #expect(again.body == Array("two".utf8))
    harness.reply(to: again, status)
    #expect(harness.takeEvents().first?.hasPrefix("refused 2") == true)
  }

  @Test func textRefusedInsideIsTriedOutside() throws {
    var harness = try established()
    harness.deliver("two")
    harness.reply(to: try found(harness.nextRequest()), 488)
    let page = try found(harness.nextRequest())
    #expect(try page.essentials().toTag == nil)
    harness.reply(to: page, 488)
    #expect(harness.takeEvents() == ["refused 2 not-acceptable"])
  }

  @Test func anIdleSessionEnds() throws {
    var harness = try established()
    for _ in 0..<800 {
      harness.pass(.seconds(1))
      if let next = harness.sent.first?.message, case .request(let request) = next, request.method == .options {
        harness.sent.removeFirst()
        harness.reply(to: request, 200)
      }
    }
    #expect(harness.nextRequest()?.method == .bye)
    #expect(harness.engine.sessions.isEmpty)
    #expect(harness.engine.dialogs.isEmpty)
  }

  @Test func anInviteOfThePlatformIsAccepted() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.feed(
      SIPHarness.invite().replacing(
        "Content-Type",
        with: "ms-text-format: text/plain; charset=UTF-8;ms-body=aGk=\nSupported: ms-sender\nContent-Type"))
    let ok = try found(harness.nextResponse())
    #expect(ok.status == 200)
    #expect(ok.headers.string(.recordRoute) == "<sip:fe.corp.test;lr;ms-key-info=A>")
    #expect(ok.headers.string(.contact) == "<sip:gw.corp.test:5061;transport=tls>")
    // The first message comes again as MESSAGE: it must not be taken from here, nor claimed to be.
    #expect(!ok.headers.contains(.supported))
    #expect(harness.takeEvents().isEmpty)
    #expect(String(decoding: ok.body, as: UTF8.self).contains("m=message 5060 sip sip:alice@partner.test\r\n"))
  }

  @Test func messagesInsideAreSubmittedAsChat() throws {
    var (harness, tag) = try invited()
    harness.feed(
      inside("MESSAGE", tag: tag, branch: "m1", cSeq: 2, type: "text/plain; charset=UTF-8;msgr=WAAt", body: "hi"))
    let submission = try found(harness.nextSubmission())
    #expect(submission.message.kind == .chat)
    #expect(submission.message.from == SIPHarness.bob)
    #expect(submission.message.to == SIPHarness.alice)
    #expect(submission.message.thread == "s1")
    harness.perform(.answer(submission.id, .delivered))
    #expect(harness.nextResponse()?.status == 200)
    harness.feed(inside("MESSAGE", tag: tag, branch: "m0", cSeq: 1, type: "text/plain", body: "old"))
    #expect(harness.nextResponse()?.status == 500)
  }

  @Test func ourMessagesUseTheSessionThatThePlatformOpened() throws {
    for mode in SIPConfiguration.Mode.allCases {
      var (harness, _) = try invited(mode)
      harness.deliver("reply")
      #expect(harness.sent.first?.flow == SIPHarness.inbound)
      let message = try found(harness.nextRequest())
      #expect(message.method == .message)
      #expect(message.uriText == "sip:bob@10.0.0.1;opaque=user:epid:x;gruu")
      #expect(message.headers.strings(.route) == ["<sip:fe.corp.test;lr;ms-key-info=A>"])
      harness.reply(to: message, 200, on: SIPHarness.inbound)
      #expect(harness.takeEvents() == ["delivered 1"])
    }
  }

  @Test func aSessionOutlivesTheConnectionItCameOn() throws {
    var (harness, _) = try invited()
    harness.deliver("reply")
    _ = harness.nextRequest()
    harness.close(SIPHarness.inbound)
    #expect(harness.sent.first?.flow == SIPHarness.link)
    let message = try found(harness.nextRequest())
    #expect(message.body == Array("reply".utf8))
    harness.reply(to: message, 200)
    #expect(harness.takeEvents() == ["delivered 1"])
  }

  @Test func ourAnswerIsRepeatedUntilItIsAcknowledged() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.feed(SIPHarness.invite())
    #expect(harness.nextResponse()?.status == 200)
    // A repeated INVITE is absorbed.
    harness.feed(SIPHarness.invite())
    #expect(harness.sent.isEmpty)
    harness.pass(.milliseconds(500))
    #expect(harness.nextResponse()?.status == 200)
    harness.pass(.seconds(1))
    #expect(harness.nextResponse()?.status == 200)
    harness.deliver("waits")
    #expect(harness.sent.isEmpty)
    for _ in 0..<40 {
      harness.pass(.seconds(1))
      for (flow, message) in harness.sent {
        if case .request(let request) = message, request.method == .options {
          harness.reply(to: request, 200, on: flow)
        }
      }
    }
    let methods = harness.sent.compactMap { if case .request(let request) = $0.message { request.method } else { nil } }
    // Hung up, and the message found its own way.
    #expect(methods.contains(.bye))
    #expect(methods.contains(.invite))
  }

  @Test func byeEndsIt() throws {
    var (harness, tag) = try invited()
    harness.feed(inside("BYE", tag: tag, branch: "y1", cSeq: 2))
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.takeEvents() == ["signalled gone"])
    #expect(harness.engine.dialogs.isEmpty)
    harness.feed(inside("MESSAGE", tag: tag, branch: "y2", cSeq: 3, type: "text/plain", body: "x"))
    #expect(harness.nextResponse()?.status == 481)
    harness.deliver("later")
    #expect(harness.nextRequest()?.method == .invite)
  }

  @Test func aSecondInviteReplacesTheFirst() throws {
    var (harness, _) = try invited()
    harness.feed(SIPHarness.invite(branch: "i2", callID: "s2"))
    let bye = try found(harness.nextRequest())
    #expect(bye.method == .bye)
    #expect(bye.headers.string(.callID) == "s1")
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.engine.dialogs.count == 1)
  }

  @Test func crossingInvites() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.deliver("one")
    let ours = try found(harness.nextRequest())
    harness.reply(to: ours, 180)
    harness.feed(SIPHarness.invite())
    #expect(harness.nextRequest()?.method == .cancel)
    let ok = try found(harness.nextResponse())
    let tag = try found(NameAddr(ok.headers.string(.to) ?? "")?.tag)
    harness.reply(to: ours, 487)
    #expect(harness.nextRequest()?.method == .ack)
    harness.feed(inside("ACK", tag: tag))
    let message = try found(harness.nextRequest())
    #expect(message.body == Array("one".utf8))
    #expect(message.headers.string(.callID) == "s1")
  }

  @Test(arguments: [
    ("v=0\ns=-\nm=audio 49170 RTP/AVP 0\n", "application/sdp"), ("<x/>", "application/ms-conf-invite+xml"),
    ("", "application/sdp"), ("x", "multipart/mixed;boundary=b"),
  ])
  func otherInvitesAreRefused(body: String, type: String) throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.feed(SIPHarness.invite(body: body).replacing("application/sdp", with: type))
    let response = try found(harness.nextResponse())
    #expect(response.status == 488)
    #expect(response.headers.string(.warning)?.hasPrefix("304 ") == true)
    #expect(harness.engine.sessions.isEmpty)
    // RFC 3261 §17.2.1: its ACK ends the transaction.
    harness.feed(SIPHarness.request("ACK", branch: "i1", callID: "s1"))
    #expect(harness.engine.servers.isEmpty)
  }

  @Test func cancelComesTooLate() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.feed(SIPHarness.invite())
    _ = harness.nextResponse()
    harness.feed(SIPHarness.request("CANCEL", branch: "i1", callID: "s1"))
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.engine.sessions.count == 1)
  }

  @Test func aReInviteIsAnswered() throws {
    var (harness, tag) = try invited()
    harness.feed(inside("INVITE", tag: tag, branch: "r1", cSeq: 2, type: "application/sdp", body: SIPHarness.offer))
    #expect(harness.nextResponse()?.status == 200)
    harness.feed(inside("INVITE", tag: tag, branch: "r2", cSeq: 3, type: "application/sdp", body: SIPHarness.offer))
    #expect(harness.nextResponse()?.status == 500)
    harness.feed(inside("ACK", tag: tag, branch: "r3", cSeq: 2))
    harness.feed(
      inside("INVITE", tag: tag, branch: "r4", cSeq: 4, type: "application/sdp", body: "v=0\nm=audio 1 RTP/AVP 0\n"))
    #expect(harness.nextResponse()?.status == 488)
    harness.deliver("still there")
    #expect(harness.nextRequest()?.method == .message)
  }

  @Test func typingIsRelayedBothWays() throws {
    var (harness, tag) = try invited()
    harness.feed(
      inside(
        "INFO", tag: tag, branch: "t1", cSeq: 2, type: "application/xml",
        body: "<KeyboardActivity><status status=\"type\" /></KeyboardActivity>"))
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.takeEvents() == ["signalled composing"])
    func signal(_ kind: Signal.Kind) -> AdapterCommand {
      .signal(
        Signal(from: SIPHarness.alice, to: SIPHarness.bob, kind: kind),
        Destination(adapter: AdapterID("corp"), domain: "corp.test"))
    }
    harness.perform(signal(.active))
    #expect(harness.sent.isEmpty)
    harness.perform(signal(.composing))
    let info = try found(harness.nextRequest())
    #expect(info.method == .info)
    #expect(Typing(keyboardActivity: info.body) == .composing)
    // One at a time; the last word counts.
    harness.perform(signal(.paused), signal(.composing), signal(.paused))
    #expect(harness.sent.isEmpty)
    harness.reply(to: info, 200, on: SIPHarness.inbound)
    let idle = try found(harness.nextRequest())
    #expect(Typing(keyboardActivity: idle.body) == .idle)
    harness.reply(to: idle, 481, on: SIPHarness.inbound)
    #expect(harness.engine.sessions.isEmpty)
  }

  @Test func sessionsAreBounded() throws {
    var configuration = SIPHarness.configuration(.session)
    configuration.limits.sessions = 1
    var harness = SIPHarness(configuration)
    harness.open()
    harness.feed(SIPHarness.invite())
    #expect(harness.nextResponse()?.status == 200)
    harness.deliver("x", to: Address(user: "carol", domain: "corp.test"))
    #expect(harness.takeEvents() == ["deferred [1] resource-constraint"])
    harness.feed(
      SIPHarness.invite(branch: "i9", callID: "s9").replacing("sip:alice@", with: "sip:dave@"))
    #expect(harness.nextResponse()?.status == 480)
  }

  @Test func aLostLinkEndsWhatWasBeingOpened() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    _ = harness.nextRequest()
    harness.close(SIPHarness.link)
    #expect(harness.takeEvents() == ["lost corp.test transient"])
    #expect(harness.engine.sessions.isEmpty)
    #expect(harness.engine.clients.isEmpty)
    harness.pass(.seconds(1))
    harness.sent.removeAll()
    harness.bringUp()
    harness.deliver("one", id: 1)
    #expect(harness.nextRequest()?.method == .invite)
  }

  @Test func stoppingHangsUp() throws {
    var harness = try established()
    harness.engine.stop(now: harness.now)
    harness.drain()
    #expect(harness.nextRequest()?.method == .bye)
  }

  @Test func nothingIsLeftBehind() throws {
    var harness = try established()
    harness.engine.stop(now: harness.now)
    harness.drain()
    let bye = try found(harness.nextRequest())
    harness.reply(to: bye, 200)
    harness.close(SIPHarness.link)
    harness.pass(.seconds(700))
    #expect(harness.engine.clients.isEmpty)
    #expect(harness.engine.clientKeys.isEmpty)
    #expect(harness.engine.servers.isEmpty)
    #expect(harness.engine.sessions.isEmpty)
    #expect(harness.engine.queue.count == 0)
    #expect(harness.engine.timers.count == 0)
  }
}
