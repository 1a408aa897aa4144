import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// The connection to the next hop.
@Suite struct SIPLinkTests {
  private func connects(_ harness: SIPHarness) -> Int {
    harness.actions.count { if case .connect = $0 { true } else { false } }
  }

  @Test func nothingIsSentBeforeTheNextHopAnswers() throws {
    var harness = SIPHarness(up: false)
    #expect(connects(harness) == 1)
    harness.deliver("a")
    harness.engine.flowOpened(1, isLink: true, isTrusted: true, peer: "p", now: harness.now)
    harness.drain()
    let probe = try found(harness.nextRequest())
    #expect(probe.method == .options)
    #expect(probe.uriText == "sip:sip.corp.test")
    #expect(probe.headers.string(.maxForwards) == "0")
    #expect(harness.sent.isEmpty)
    // Any answer will do.
    harness.reply(to: probe, 483)
    #expect(harness.takeEvents() == ["reached corp.test"])
    #expect(harness.nextRequest()?.method == .message)
  }

  @Test func aFailedAttemptGivesEverythingBack() {
    var harness = SIPHarness(up: false)
    harness.deliver("a")
    harness.engine.linkFailed("connection refused", .transient, now: harness.now)
    harness.drain()
    #expect(harness.takeEvents() == ["lost corp.test transient"])
    // The broker had not heard of it yet.
    harness.deliver("b")
    #expect(harness.takeEvents() == ["deferred [2] remote-server-timeout"])
    // A second failure with nothing to give back is no news.
    harness.pass(.seconds(1))
    harness.engine.linkFailed("connection refused", .transient, now: harness.now)
    harness.drain()
    #expect(harness.takeEvents().isEmpty)
  }

  @Test func aPermanentFailureIsToldAsSuch() {
    var harness = SIPHarness(up: false)
    harness.engine.linkFailed("certificate is for other.test", .permanent, now: harness.now)
    harness.drain()
    #expect(harness.takeEvents() == ["lost corp.test permanent"])
  }

  @Test func reconnectsWithGrowingPausesAndAtOnceForTheBroker() {
    var harness = SIPHarness(up: false)
    var attempts = 1
    for _ in 0..<10 {
      harness.engine.linkFailed("refused", .transient, now: harness.now)
      harness.drain()
      harness.pass(.seconds(31))
      attempts += 1
      #expect(connects(harness) == attempts)
    }
    harness.engine.linkFailed("refused", .transient, now: harness.now)
    harness.drain()
    harness.pass(.seconds(1))
    #expect(connects(harness) == attempts)
    harness.deliver("a")
    #expect(connects(harness) == attempts + 1)
  }

  @Test func aSilentNextHopIsNoticedInTimeEvenWhenNothingIsSent() throws {
    var harness = SIPHarness()
    let start = harness.now
    var noticed: Int64?
    while harness.now - start < 20_000, noticed == nil {
      harness.pass(.milliseconds(100))
      if harness.isClosed { noticed = harness.now - start }
    }
    #expect(try found(noticed) <= 15_000)
    #expect(harness.nextRequest()?.method == .options)
    harness.close(SIPHarness.link)
    #expect(harness.takeEvents() == ["lost corp.test transient"])
    harness.pass(.seconds(2))
    #expect(connects(harness) == 1)
  }

  @Test func anAnsweringNextHopIsLeftAlone() {
    var harness = SIPHarness()
    for _ in 0..<60 {
      harness.pass(.seconds(1))
      while let request = harness.nextRequest() { harness.reply(to: request, 200) }
    }
    #expect(!harness.isClosed)
    #expect(harness.takeEvents().isEmpty)
  }

  @Test func aLostLinkReturnsWhatWasUnderWayAndSendsItAgainAsTheSame() throws {
    var harness = SIPHarness()
    harness.deliver("a")
    harness.deliver("b")
    let first = try found(harness.nextRequest())
    harness.close(SIPHarness.link)
    #expect(harness.takeEvents() == ["lost corp.test transient"])
    harness.pass(.seconds(1))
    harness.sent.removeAll()
    harness.bringUp()
    harness.deliver("a", id: 1)
    harness.deliver("b", id: 2)
    let again = try found(harness.nextRequest())
    #expect(try again.essentials().via.branch == first.essentials().via.branch)
    #expect(again.body == first.body)
    harness.reply(to: again, 200)
    let second = try found(harness.nextRequest())
    #expect(second.body == Array("b".utf8))
    harness.reply(to: second, 200)
    #expect(harness.takeEvents() == ["delivered 1", "delivered 2"])
  }

  @Test func anEntryGivenTwiceIsSentOnce() {
    var harness = SIPHarness()
    harness.deliver("a", id: 1)
    harness.deliver("a", id: 1)
    #expect(harness.sent.count == 1)
  }

  @Test func stoppingClosesAndDoesNotReconnect() {
    var harness = SIPHarness()
    harness.engine.stop(now: harness.now)
    harness.drain()
    #expect(harness.isClosed)
    harness.close(SIPHarness.link)
    harness.pass(.seconds(120))
    #expect(connects(harness) == 0)
  }
}
