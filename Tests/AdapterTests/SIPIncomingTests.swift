import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// Requests of the platform outside of dialogs.
@Suite struct SIPIncomingTests {
  private func harness() -> SIPHarness {
    var harness = SIPHarness()
    harness.open()
    harness.actions.removeAll()
    return harness
  }

  @Test func aMessageIsAnsweredOnlyWhenTheBrokerHasSpoken() throws {
    var harness = harness()
    harness.feed(SIPHarness.message("héllo\n🙂", extra: "Subject: s\nContent-Language: fr\n"))
    #expect(harness.sent.isEmpty)
    let submission = try found(harness.nextSubmission())
    #expect(submission.answer == .whenKnown)
    #expect(submission.source == 0)
    let message = submission.message
    #expect(message.from == SIPHarness.bob)
    #expect(message.to == SIPHarness.alice)
    #expect(message.body == "héllo\r\n🙂")
    #expect(message.kind == .single)
    #expect(message.subject == "s")
    #expect(message.language == "fr")
    #expect(message.thread == "c1")
    #expect(message.id.utf8.count == 32)
    harness.perform(.answer(submission.id, .delivered))
    let response = try found(harness.nextResponse())
    #expect(response.status == 200)
    #expect(response.headers.string(.via) == "SIP/2.0/TLS sip.corp.test;branch=z9hG4bKb1")
    #expect(NameAddr(response.headers.string(.to) ?? "")?.tag != nil)
    // Said once.
    harness.perform(.answer(submission.id, .stored))
    #expect(harness.sent.isEmpty)
  }

  static let verdicts: [(Answer, Int, String)] = [
    (.stored, 202, "Accepted"),
    (.refused(DeliveryError(.serviceUnavailable, text: "No such service", detail: "d")), 403, "No such service"),
    (.refused(DeliveryError(.itemNotFound, text: "Nobody", detail: "d")), 604, "Nobody"),
    (.refused(DeliveryError(.remoteServerTimeout, text: "Silent", detail: "d")), 408, "Silent"),
  ]

  @Test(arguments: verdicts)
  func answers(answer: Answer, status: Int, phrase: String) throws {
    var harness = harness()
    harness.feed(SIPHarness.message("x"))
    let submission = try found(harness.nextSubmission())
    harness.perform(.answer(submission.id, answer))
    let response = try found(harness.nextResponse())
    #expect(response.status == status)
    #expect(response.reason == phrase)
  }

  @Test func anEndpointMakesItA4xx() throws {
    var harness = harness()
    harness.feed(SIPHarness.message("x", uri: "sip:alice@partner.test;gr=phone"))
    let submission = try found(harness.nextSubmission())
    #expect(submission.message.to.endpoint == "phone")
    harness.perform(.answer(submission.id, .refused(DeliveryError(.itemNotFound, text: "t", detail: "d"))))
    #expect(harness.nextResponse()?.status == 404)
  }

  @Test func aRepetitionIsAbsorbedAndALaterOneIsRecognisable() throws {
    var harness = harness()
    harness.feed(SIPHarness.message("x"))
    harness.feed(SIPHarness.message("x"))
    let submission = try found(harness.nextSubmission())
    #expect(harness.events.isEmpty)
    harness.perform(.answer(submission.id, .delivered))
    _ = harness.nextResponse()
    // The transaction is over; from a new connection it is submitted again under the same id.
    harness.open(3)
    harness.feed(SIPHarness.message("x"), on: 3)
    let again = try found(harness.nextSubmission())
    #expect(again.message.id == submission.message.id)
    #expect(again.id != submission.id)
    harness.feed(SIPHarness.message("x", branch: "b2", cSeq: 2), on: 3)
    #expect(try found(harness.nextSubmission()).message.id != submission.message.id)
  }

  @Test func theAnswerGoesToTheConnectionThatAskedLast() throws {
    var harness = harness()
    harness.feed(SIPHarness.message("x"))
    let submission = try found(harness.nextSubmission())
    harness.close(SIPHarness.inbound)
    harness.open(3)
    harness.feed(SIPHarness.message("x"), on: 3)
    #expect(harness.events.isEmpty)
    harness.perform(.answer(submission.id, .delivered))
    #expect(harness.sent.first?.flow == 3)
    #expect(harness.nextResponse()?.status == 200)
  }

  static let refusals: [(String, Int)] = [
    (SIPHarness.message("<b>x</b>", type: "text/html"), 415),
    (SIPHarness.message("x", type: "text/plain;charset=utf-16"), 415),
    (SIPHarness.message("x", extra: "Content-Encoding: gzip\n"), 415),
    (SIPHarness.request("MESSAGE", body: "x"), 400),
    (SIPHarness.message("x", extra: "Require: foo, bar\n"), 420),
    (SIPHarness.message("x", uri: "tel:+1"), 416), (SIPHarness.message("x", uri: "sip:a@b@c"), 400),
    (SIPHarness.message("x", uri: "sips:alice@partner.test"), 480),
    (SIPHarness.message("x", to: "<sips:alice@partner.test>"), 480),
    (SIPHarness.message("x", to: "<sip:alice@partner.test>;tag=gone"), 481),
    (SIPHarness.message("x", uri: "sip:%FF@partner.test"), 400),
    (SIPHarness.request("MESSAGE", from: "<sip:mallory@partner.test>", type: "text/plain", body: "x"), 403),
    (SIPHarness.request("MESSAGE", from: "<sip:corp.test>", type: "text/plain", body: "x"), 403),
    (SIPHarness.request("MESSAGE", from: "<tel:+1>", type: "text/plain", body: "x"), 403),
    (SIPHarness.request("NEGOTIATE", extra: "Compression: LZ77-8K\n"), 405), (SIPHarness.request("REGISTER"), 405),
    (SIPHarness.request("REFER"), 405), (SIPHarness.request("SUBSCRIBE", extra: "Event: presence\n"), 489),
    (SIPHarness.request("PUBLISH"), 489), (SIPHarness.request("NOTIFY"), 481), (SIPHarness.request("BYE"), 481),
    (SIPHarness.request("INFO"), 481), (SIPHarness.request("CANCEL"), 481), (SIPHarness.request("FROBNICATE"), 501),
    (SIPHarness.request("OPTIONS"), 200),
  ]

  @Test(arguments: refusals)
  func statuses(text: String, expected: Int) throws {
    var harness = harness()
    harness.feed(text)
    let response = try found(harness.nextResponse())
    #expect(response.status == expected)
    #expect(harness.takeEvents().isEmpty)
    #expect(!harness.isClosed)
    switch expected {
    case 405, 501: #expect(response.headers.string(.allow) == Engine.allow)
    case 415: #expect(response.headers.string(.accept)?.contains("text/plain") == true)
    case 420: #expect(response.headers.string(.unsupported) == "foo, bar")
    default: break
    }
  }

  @Test func neverAnswered() {
    var harness = harness()
    harness.feed(SIPHarness.request("BENOTIFY", extra: "Event: presence\n"))
    harness.feed(SIPHarness.request("ACK"))
    #expect(harness.sent.isEmpty)
  }

  @Test func aLoopIsBroken() {
    var harness = harness()
    harness.feed(
      SIPHarness.message("x", extra: "Via: SIP/2.0/TLS gw.corp.test:5061;branch=z9hG4bKours\n"))
    #expect(harness.nextResponse()?.status == 482)
    harness.feed(
      SIPHarness.message("x", branch: "b3").replacing("Max-Forwards: 70", with: "Max-Forwards: 0"))
    #expect(harness.nextResponse()?.status == 483)
  }

  @Test func emptyBodiesAndTyping() {
    var harness = harness()
    harness.feed(SIPHarness.message(""))
    #expect(harness.nextResponse()?.status == 200)
    harness.feed(SIPHarness.request("MESSAGE", branch: "b2"))
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.takeEvents().isEmpty)
    harness.feed(
      SIPHarness.message(
        "<isComposing><state>active</state></isComposing>", branch: "b3", type: "application/im-iscomposing+xml"))
    #expect(harness.nextResponse()?.status == 200)
    #expect(harness.takeEvents() == ["signalled composing"])
  }

  @Test func cpimIsUnwrapped() throws {
    var harness = harness()
    harness.feed(SIPHarness.message("From: <im:bob@corp.test>\n\nContent-Type: text/plain\n\nhi", type: "message/cpim"))
    #expect(try found(harness.nextSubmission()).message.body == "hi")
  }

  @Test func controlCharactersPassAsTheyAre() throws {
    var harness = harness()
    harness.feed(SIPHarness.message("a\0\u{1A}\u{FFFF}b"))
    #expect(try found(harness.nextSubmission()).message.body == "a\0\u{1A}\u{FFFF}b")
  }

  @Test func malformedRequestsAreAnsweredAndThenCutOff() {
    var configuration = SIPHarness.configuration()
    configuration.limits.malformedMessages = 3
    var harness = SIPHarness(configuration)
    harness.open()
    let bad = SIPHarness.message("x").replacing("CSeq: 1 MESSAGE", with: "CSeq: 1 INVITE")
    for _ in 0..<2 {
      harness.feed(bad)
      #expect(harness.nextResponse()?.status == 400)
    }
    #expect(!harness.isClosed)
    harness.feed(bad)
    #expect(harness.isClosed)
  }

  @Test func garbageClosesTheConnection() {
    var harness = harness()
    harness.feed([UInt8](repeating: 0x41, count: 100_000))
    #expect(harness.isClosed)
    #expect(harness.sent.isEmpty)
  }

  @Test func anOversizedBodyIsRefusedBeforeItComes() {
    var harness = harness()
    harness.feed(SIPHarness.request("MESSAGE").replacing("Content-Length: 0", with: "Content-Length: 262145"))
    #expect(harness.nextResponse()?.status == 413)
    #expect(harness.isClosed)
  }

  @Test func aPingIsAnswered() {
    var harness = harness()
    harness.feed("\n\n")
    #expect(harness.hasAction { if case .write(_, [13, 10]) = $0 { true } else { false } })
  }

  @Test func anUntrustedPeerIsToldAndClosed() {
    var harness = SIPHarness()
    harness.open(trusted: false)
    harness.feed(SIPHarness.message("x"))
    #expect(harness.nextResponse()?.status == 403)
    #expect(harness.takeEvents().isEmpty)
    #expect(harness.isClosed)
  }

  @Test func anUntrustedPeerThatWaitsIsClosedToo() {
    var harness = SIPHarness()
    harness.open(trusted: false)
    harness.pass(.seconds(9))
    #expect(!harness.isClosed)
    harness.pass(.seconds(2))
    #expect(harness.isClosed)
  }

  @Test func halfAMessageDoesNotWaitForEver() {
    var harness = harness()
    harness.feed("MESSAGE sip:alice@partner.test SIP/2.0\nVia:")
    harness.pass(.seconds(29))
    #expect(!harness.hasAction { if case .abort(SIPHarness.inbound, _) = $0 { true } else { false } })
    harness.pass(.seconds(3))
    #expect(harness.hasAction { if case .abort(SIPHarness.inbound, _) = $0 { true } else { false } })
  }

  @Test func readingPausesAboveTheLimitAndResumesBelowHalf() throws {
    var configuration = SIPHarness.configuration()
    configuration.limits.unansweredMessages = 4
    var harness = SIPHarness(configuration)
    harness.open()
    func paused(_ harness: SIPHarness) -> Bool {
      harness.hasAction { if case .pauseReading = $0 { true } else { false } }
    }
    func resumed(_ harness: SIPHarness) -> Bool {
      harness.hasAction { if case .resumeReading = $0 { true } else { false } }
    }
    var ids: [SubmissionID] = []
    for index in 1...4 {
      #expect(!paused(harness))
      harness.feed(SIPHarness.message("x", branch: "p\(index)", cSeq: index))
      ids.append(try found(harness.nextSubmission()).id)
    }
    #expect(paused(harness))
    harness.perform(.answer(ids[0], .delivered))
    #expect(!resumed(harness))
    harness.perform(.answer(ids[1], .delivered))
    #expect(resumed(harness))
  }

  @Test func aMessageTheBrokerForgetsIsAnswered() {
    var harness = harness()
    harness.feed(SIPHarness.message("x"))
    harness.pass(.seconds(26))
    #expect(
      harness.sent.contains { if case .response(let response) = $0.message { response.status == 500 } else { false } })
  }

  @Test func serverTransactionsAreBounded() {
    var configuration = SIPHarness.configuration()
    configuration.limits.serverTransactions = 2
    var harness = SIPHarness(configuration)
    harness.open()
    for index in 1...3 { harness.feed(SIPHarness.message("x", branch: "l\(index)", cSeq: index)) }
    #expect(harness.nextResponse()?.status == 500)
  }
}
