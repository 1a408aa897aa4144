import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// What peers may do and rarely do.
@Suite struct SIPEdgeTests {
  private static let contact: [(HeaderName, String)] = [(.contact, "<sip:bob@10.0.0.1>")]

  /// Time passes on a link that answers its probes.
  private func pass(_ seconds: Int, _ harness: inout SIPHarness) {
    for _ in 0..<seconds {
      harness.pass(.seconds(1))
      while let index = harness.sent.firstIndex(where: {
        if case .request(let request) = $0.message { request.method == .options } else { false }
      }) {
        guard case .request(let probe) = harness.sent.remove(at: index).message else { continue }
        harness.reply(to: probe, 200)
      }
    }
  }

  /// RFC 3261 §9.1: after the CANCEL a final response is waited for 64·T1 and no longer.
  @Test func aCancelledInviteThatIsNeverAnsweredIsForgotten() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.deliver("one")
    harness.reply(to: try found(harness.nextRequest()), 180)
    pass(61, &harness)
    #expect(harness.nextRequest()?.method == .cancel)
    #expect(!harness.engine.clients.isEmpty)
    pass(33, &harness)
    #expect(harness.engine.clients.isEmpty)
    #expect(harness.takeEvents() == ["refused 1 recipient-unavailable"])
  }

  @Test func anInviteThatWasGivenUpUnansweredIsCancelledAtItsFirstProvisional() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.deliver("one")
    let invite = try found(harness.nextRequest())
    harness.feed(SIPHarness.invite())
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.sent.isEmpty, "no CANCEL before a provisional response")
    harness.reply(to: invite, 180)
    #expect(harness.nextRequest()?.method == .cancel)
    harness.reply(to: invite, 180)
    #expect(harness.sent.isEmpty, "one is enough")
  }

  /// The answer to a message of the old session comes when the peer has opened a new one.
  @Test(arguments: [481, 408]) func aLateAnswerDoesNotEndTheNextSession(status: Int) throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    harness.deliver("one")
    harness.reply(to: try found(harness.nextRequest()), 200, adding: Self.contact)
    #expect(harness.nextRequest()?.method == .ack)
    let message = try found(harness.nextRequest())
    harness.feed(SIPHarness.invite())
    #expect(harness.nextRequest()?.method == .bye)
    let ok = try found(harness.nextResponse())
    harness.reply(to: message, status)
    let tag = try found(NameAddr(ok.headers.string(.to) ?? "")?.tag)
    harness.feed(
      SIPHarness.request(
        "ACK", branch: "a1", callID: "s1", to: "<sip:alice@partner.test>;tag=\(tag)", uri: "sip:gw.corp.test:5061"))
    let again = try found(harness.nextRequest())
    #expect(again.method == .message && again.body == Array("one".utf8))
    #expect(try again.essentials().callID == "s1")
    #expect(harness.engine.sessions.count == 1)
  }

  /// RFC 3261 §16.3: it limits hops, and what ends here takes no further one. NEGOTIATE comes with 0.
  @Test func maxForwardsCountsForWhatCrosses() throws {
    var harness = SIPHarness(SIPHarness.configuration(.session))
    harness.open()
    func last(_ text: String) -> String { text.replacing("Max-Forwards: 70", with: "Max-Forwards: 0") }
    harness.feed(last(SIPHarness.request("NEGOTIATE")))
    #expect(harness.nextResponse()?.status == 405)
    harness.feed(last(SIPHarness.invite(branch: "i0")))
    #expect(harness.nextResponse()?.status == 483)
    harness.feed(SIPHarness.invite(callID: "s2"))
    let tag = try found(NameAddr(harness.nextResponse()?.headers.string(.to) ?? "")?.tag)
    harness.feed(
      last(
        SIPHarness.request(
          "BYE", branch: "d1", callID: "s2", cSeq: 2, to: "<sip:alice@partner.test>;tag=\(tag)",
          uri: "sip:gw.corp.test:5061")))
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.engine.sessions.isEmpty)
  }

  @Test func anEmptyRequireRequiresNothing() {
    var harness = SIPHarness()
    harness.open()
    harness.feed(SIPHarness.message("x", extra: "Require: \n"))
    #expect(harness.takeEvents() == ["submitted x"])
  }

  /// An empty list of event packages is no valid header field, and some parsers drop the response for it.
  @Test func noEmptyHeaderInARefusal() throws {
    var harness = SIPHarness()
    harness.open()
    harness.feed(SIPHarness.request("SUBSCRIBE", extra: "Event: presence\n"))
    let response = try found(harness.nextResponse())
    #expect(response.status == 489 && response.headers.all.allSatisfy { !$0.value.isEmpty })
  }

  /// The head is here, of the body not one byte.
  @Test func aBodyThatNeverComesEndsTheConnection() {
    var harness = SIPHarness()
    harness.open()
    harness.feed(SIPHarness.request("MESSAGE").replacing("Content-Length: 0", with: "Content-Length: 5"))
    pass(32, &harness)
    #expect(harness.hasAction { if case .abort(SIPHarness.inbound, _) = $0 { true } else { false } })
  }

  /// RFC 3261 §18.2.2.
  @Test func theAnswerFindsAWayWhenItsConnectionIsGone() throws {
    var harness = SIPHarness()
    harness.open()
    harness.feed(SIPHarness.message("x"))
    let submission = try found(harness.nextSubmission())
    harness.close(SIPHarness.inbound)
    harness.perform(.answer(submission.id, .delivered))
    #expect(harness.sent.first?.flow == SIPHarness.link)
    #expect(harness.nextResponse()?.status == 200)
  }

  @Test func malformedMessagesCountInARowOnly() throws {
    var configuration = SIPHarness.configuration()
    configuration.limits.malformedMessages = 3
    var harness = SIPHarness(configuration)
    for _ in 0..<5 {
      harness.deliver("x")
      harness.reply(to: try found(harness.nextRequest()), 200)
      harness.feed("SIP/2.0 200 OK\nVia: SIP/2.0/TLS x\nContent-Length: 0\n\n", on: SIPHarness.link)
    }
    #expect(!harness.isClosed)
  }

  @Test func overloadIsCounted() {
    var configuration = SIPHarness.configuration()
    configuration.limits.serverTransactions = 0
    var harness = SIPHarness(configuration)
    harness.open()
    harness.feed(SIPHarness.message("x"))
    #expect(
      harness.hasAction {
        if case .observe(.concluded(.inbound, "MESSAGE", 500, _)) = $0 { true } else { false }
      })
  }
}
