import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// Entries of the broker as MESSAGE outside of dialogs.
@Suite struct SIPPageTests {
  @Test func aMessageGoesOutAndIsConfirmed() throws {
    var harness = SIPHarness()
    var from = SIPHarness.alice
    from.endpoint = "phöne"
    harness.deliver("Grüße 🙂", from: from, to: Address(user: "o'malley b", domain: "corp.test"), thread: "t-1")
    let request = try found(harness.nextRequest())
    #expect(request.method == .message)
    #expect(request.uriText == "sip:o'malley%20b@corp.test")
    #expect(request.headers.string(.from)?.hasPrefix("<sip:alice@partner.test;gr=ph%C3%B6ne>;tag=") == true)
    #expect(request.headers.string(.to) == "<sip:o'malley%20b@corp.test>")
    #expect(request.headers.string(.callID) == "t-1")
    #expect(request.headers.string(.maxForwards) == "70")
    #expect(request.headers.string(.date) == "Sat, 21 Nov 2026 10:00:00 GMT")
    #expect(request.headers.string(.contentType) == "text/plain;charset=UTF-8")
    #expect(request.headers.string(.via)?.hasPrefix("SIP/2.0/TLS gw.corp.test:5061;branch=z9hG4bK") == true)
    // RFC 3428 §4: no Contact.
    #expect(!request.headers.contains(.contact))
    #expect(String(decoding: request.body, as: UTF8.self) == "Grüße 🙂")
    harness.reply(to: request, 100)
    #expect(harness.takeEvents().isEmpty)
    harness.reply(to: request, 200)
    #expect(harness.takeEvents() == ["delivered 1"])
    // The same answer again means nothing.
    harness.reply(to: request, 200)
    #expect(harness.takeEvents().isEmpty)
  }

  @Test func subjectLanguageAndOddThreads() throws {
    var harness = SIPHarness()
    var message = Message(id: "x", from: SIPHarness.alice, to: SIPHarness.bob, body: "b", subject: "Hi\r\nX-Evil: 1")
    message.language = "de-CH"
    message.thread = "no call id <>\r\n"
    harness.perform(.deliver(SIPHarness.entry(9, .message(message))))
    let request = try found(harness.nextRequest())
    #expect(request.headers.string(.subject) == "Hi  X-Evil: 1")
    #expect(request.headers["X-Evil"] == nil)
    #expect(request.headers.string(.contentLanguage) == "de-CH")
    #expect(request.headers.string(.callID)?.hasSuffix("@gw.corp.test") == true)
    #expect(throws: Never.self) { try request.essentials() }
  }

  @Test func orderOfAPairIsKeptAndOthersDoNotWait() throws {
    var harness = SIPHarness()
    harness.deliver("one")
    harness.deliver("two")
    harness.deliver("other", to: Address(user: "carol", domain: "corp.test"))
    let one = try found(harness.nextRequest())
    let other = try found(harness.nextRequest())
    #expect(one.body == Array("one".utf8))
    #expect(other.body == Array("other".utf8))
    #expect(harness.sent.isEmpty)
    harness.reply(to: one, 200)
    #expect(harness.nextRequest()?.body == Array("two".utf8))
  }

  @Test func theWindowBoundsWhatIsUnderWay() throws {
    var configuration = SIPHarness.configuration()
    configuration.limits.outstandingRequests = 2
    var harness = SIPHarness(configuration)
    for index in 0..<3 { harness.deliver("x", to: Address(user: "u\(index)", domain: "corp.test")) }
    #expect(harness.sent.count == 2)
    let first = try found(harness.nextRequest())
    harness.reply(to: first, 200)
    #expect(harness.sent.count == 2)
  }

  @Test func heldEntriesAreBounded() {
    var configuration = SIPHarness.configuration()
    configuration.limits.heldEntries = 2
    var harness = SIPHarness(configuration)
    for _ in 0..<3 { harness.deliver("x") }
    #expect(harness.takeEvents() == ["deferred [3] resource-constraint"])
  }

  @Test(arguments: [
    (404, "refused 1 item-not-found"), (480, "refused 1 recipient-unavailable"),
    (408, "refused 1 remote-server-timeout"),
    (500, "refused 1 internal-server-error"), (403, "refused 1 forbidden"), (415, "refused 1 not-acceptable"),
    (603, "refused 1 recipient-unavailable"), (302, "refused 1 redirect"), (202, "delivered 1"),
    (503, "deferred [1, 2] internal-server-error"),
  ])
  func outcomes(status: Int, expected: String) throws {
    var harness = SIPHarness()
    harness.deliver("a")
    harness.deliver("b")
    let request = try found(harness.nextRequest())
    harness.reply(to: request, status)
    #expect(harness.takeEvents() == [expected])
  }

  @Test func aRepetitionIsTheSameTransactionUnlessTheFirstWasAnswered() throws {
    var first = SIPHarness()
    var second = SIPHarness()
    first.deliver("a", id: 77)
    second.deliver("a", id: 77)
    let one = try found(first.nextRequest()).essentials()
    let two = try found(second.nextRequest()).essentials()
    #expect(one.via.branch == two.via.branch)
    #expect(one.fromTag == two.fromTag)
    #expect(one.callID == two.callID)
    #expect(one.cSeq == two.cSeq)

    first.deliver("b", to: Address(user: "x", domain: "corp.test"), id: 78)
    let other = try found(first.nextRequest())
    first.reply(to: other, 503)
    first.pass(.seconds(2))
    first.deliver("b", to: Address(user: "x", domain: "corp.test"), id: 78)
    let again = try found(first.nextRequest())
    #expect(try again.essentials().via.branch != other.essentials().via.branch)
  }

  @Test func entriesThatCrossADeferralFollowIt() throws {
    var harness = SIPHarness()
    harness.deliver("a")
    let request = try found(harness.nextRequest())
    harness.reply(to: request, 503)
    harness.deliver("b")
    #expect(harness.takeEvents() == ["deferred [1] internal-server-error", "deferred [2] remote-server-timeout"])
    #expect(harness.sent.isEmpty)
    harness.pass(.seconds(2))
    harness.deliver("a", id: 1)
    #expect(harness.nextRequest() != nil)
  }

  @Test func noAnswerDefersThePair() throws {
    var harness = SIPHarness()
    harness.deliver("a")
    harness.deliver("b")
    _ = harness.nextRequest()
    for _ in 0..<40 {
      harness.pass(.seconds(1))
      // The platform answers what asks whether it is there, and nothing else.
      while let request = harness.nextRequest() { if request.method == .options { harness.reply(to: request, 200) } }
    }
    #expect(harness.takeEvents() == ["deferred [1, 2] remote-server-timeout"])
  }

  @Test func aFailureReportIsANoticeFromTheContact() throws {
    var harness = SIPHarness()
    let message = Message(id: "m", from: SIPHarness.bob, to: SIPHarness.alice, body: "secret words")
    let report = FailureReport(
      of: message, accepted: Timestamp(milliseconds: 1_795_255_265_000),
      error: DeliveryError(.itemNotFound, text: "There is no such user.", detail: "internal"))
    harness.perform(.deliver(SIPHarness.entry(5, .failure(report))))
    let request = try found(harness.nextRequest())
    #expect(request.uriText == "sip:bob@corp.test")
    #expect(request.headers.string(.from)?.hasPrefix("<sip:alice@partner.test>") == true)
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == "Your message of 10:01:05 UTC was not delivered: There is no such user.")
    harness.reply(to: request, 404)
    #expect(harness.takeEvents() == ["refused 5 item-not-found"])
  }

  @Test func aForgedOrForeignResponseIsIgnored() throws {
    var harness = SIPHarness()
    harness.deliver("a")
    var forged = try found(harness.nextRequest())
    let branch = try found(forged.essentials().via.branch)
    forged.headers.replace(.via, "SIP/2.0/TLS other.test:5061;branch=\(branch)")
    harness.reply(to: forged, 200)
    #expect(harness.takeEvents().isEmpty)
  }
}
