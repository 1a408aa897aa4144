import Testing

@testable import BrokerCore

@Suite struct RoutingTests {
  @Test(arguments: [
    ("mallory", "evil.test", "romeo", "corp.test", Harness.xmpp, DeliveryError.Condition.forbidden),
    ("romeo", "corp.test", "romeo", "corp.test", Harness.xmpp, .forbidden),
    ("juliet", "partner.test", "x", "partner.test", Harness.xmpp, .notAllowed),
    ("juliet", "partner.test", "x", "other.test", Harness.xmpp, .notAllowed),
    ("juliet", "partner.test", "x", "unknown.test", Harness.xmpp, .remoteServerNotFound),
    ("juliet", "partner.test", "romeo", "corp.test", Harness.sip, .forbidden),
    ("romeo", "corp.test", "x", "corp.test", Harness.sip, .notAllowed),
  ])
  func denies(
    user: String, domain: String, toUser: String, toDomain: String, adapter: AdapterID,
    condition: DeliveryError.Condition
  ) {
    var h = Harness()
    let id = h.submit(
      "x", from: Address(user: user, domain: domain), to: Address(user: toUser, domain: toDomain), adapter: adapter)
    let report = h.takeDelivering().first
    if report == nil {
      guard case .refused(let error)? = h.answers[id]?.first else { return #expect(Bool(false), "not refused") }
      #expect(error.condition == condition)
      #expect(h.uncommitted.isEmpty)
    } else {
      // Whom we know and who does not wait is told by a report, and answered when that is safe.
      #expect(report?.report?.error.condition == condition && report?.destination.domain == domain)
      #expect(h.answers[id] == nil)
      h.commit()
      #expect(h.answers[id] == [.stored])
    }
  }

  @Test func aReportThatFailsAtOnceStillAnswers() {
    var h = Harness()
    let id = h.submit("x", id: "1", to: Address(user: "x", domain: "unknown.test"))
    #expect(h.takeDelivering().count == 1)
    h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
    #expect(h.answers[id]?.count == 1)
    #expect(h.broker.count == 0)
  }

  @Test func passesBothWays() {
    var h = Harness()
    h.submit("hello")
    h.submitFromPlatform("hi")
    #expect(h.takeDelivering().map(\.destination) == [Harness.corp, Harness.partner])
  }
}

@Suite struct AnswerTests {
  @Test func safeWhenDurable() {
    var h = Harness()
    let id = h.submit("a")
    #expect(h.answers[id] == nil)
    h.commit()
    #expect(h.answers[id] == [.stored])
  }

  @Test func safeWhenDelivered() {
    var h = Harness()
    let id = h.submit("a")
    let entry = h.takeDelivering()[0]
    h.tell(.delivered(entry.id), from: Harness.sip)
    #expect(h.answers[id] == [.delivered])
    h.commit()
    #expect(h.answers[id] == [.delivered])
    #expect(h.disk.isEmpty && h.broker.count == 0)
  }

  @Test func whoWantsToKnowWaitsForTheOutcome() {
    var h = Harness()
    let id = h.submitFromPlatform("a")
    h.commit()
    #expect(h.answers[id] == nil)
    let entry = h.takeDelivering()[0]
    h.tell(
      .refused(entry.id, DeliveryError(.itemNotFound, text: "Nobody here.", detail: "")), from: Harness.xmpp)
    guard case .refused(let error)? = h.answers[id]?.first else { return #expect(Bool(false)) }
    #expect(error.condition == .itemNotFound)
    #expect(h.takeDelivering().isEmpty, "the answer told the sender, no report is needed")
    h.commit()
    #expect(h.disk.isEmpty)
  }

  @Test func butNotForEver() {
    var h = Harness()
    let id = h.submitFromPlatform("a")
    h.commit()
    h.tick(.milliseconds(1999))
    #expect(h.answers[id] == nil)
    h.tick(.milliseconds(1))
    #expect(h.answers[id] == [.stored])
  }

  @Test func isNeverAcceptedBeforeItIsDurable() {
    var h = Harness()
    let id = h.submitFromPlatform("a")
    h.tick(.seconds(10))
    #expect(h.answers[id] == nil)
    h.commit()
    #expect(h.answers[id] == [.stored])
  }

  @Test func refusalAfterAcceptanceBecomesAReport() {
    var h = Harness()
    h.submit("a", id: "m1")
    h.commit()
    let entry = h.takeDelivering()[0]
    h.tell(.refused(entry.id, DeliveryError(.itemNotFound, text: "No.", detail: "404")), from: Harness.sip)
    let report = h.takeDelivering()
    #expect(report.count == 1 && report[0].destination == Harness.partner)
    #expect(report[0].report?.messageID == "m1" && report[0].report?.error.condition == .itemNotFound)
    h.commit()
    #expect(h.disk.count == 1)
    h.tell(.refused(report[0].id, Harness.unreachable), from: Harness.xmpp)
    #expect(h.takeDelivering().isEmpty, "an error never answers an error")
    h.commit()
    #expect(h.disk.isEmpty)
  }

  @Test func refusalAfterConfirmationIsStillReported() {
    var h = Harness()
    let id = h.submitFromPlatform("a", id: "m1")
    let entry = h.takeDelivering()[0]
    h.tell(.delivered(entry.id), from: Harness.xmpp)
    #expect(h.answers[id] == [.delivered])
    let error = DeliveryError(.serviceUnavailable, text: "No.", detail: "")
    h.tell(.refused(entry.id, error), from: Harness.xmpp)
    #expect(h.takeDelivering().first?.report?.messageID == "m1")
    h.tell(.refused(entry.id, error), from: Harness.xmpp)
    #expect(h.takeDelivering().isEmpty, "once")
  }

  /// What is remembered of thousands of messages has a bound for each.
  @Test(arguments: [(1024, true), (1025, false)]) func longIDs(length: Int, reported: Bool) {
    var h = Harness()
    let id = String(repeating: "i", count: length)
    h.submitFromPlatform("a", id: id)
    let entry = h.takeDelivering()[0]
    h.tell(.delivered(entry.id), from: Harness.xmpp)
    h.tell(.refused(entry.id, DeliveryError(.serviceUnavailable, text: "No.", detail: "")), from: Harness.xmpp)
    #expect(h.takeDelivering().first?.report?.messageID == (reported ? id : nil))
  }

  @Test func storeFailureIsHonest() {
    var h = Harness()
    let id = h.submit("a", id: "1")
    let entry = h.takeDelivering()[0]
    h.failCommit("disk full")
    #expect(h.answers[id] == nil, "it is being delivered: that outcome decides")
    h.tell(.deferred([entry.id], Harness.unreachable), from: Harness.sip)
    guard case .refused(let error)? = h.answers[id]?.first else { return #expect(Bool(false)) }
    #expect(error.condition == .resourceConstraint)
    #expect(h.broker.count == 0)
  }
}

@Suite struct OutageTests {
  @Test func neverReachedMeansRefusedAtOnce() {
    var h = Harness()
    let id = h.submitFromPlatform("a")
    h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
    guard case .refused(let error)? = h.answers[id]?.first else { return #expect(Bool(false)) }
    #expect(error.condition == .remoteServerTimeout)
    #expect(h.broker.count == 0)
    // Within the pause the same answer, without another attempt; then another attempt.
    _ = h.takeDelivering()
    let second = h.submitFromPlatform("b")
    #expect(h.answers[second]?.first == .refused(Harness.unreachable) && h.delivering.isEmpty)
    h.tick(.seconds(1))
    h.submitFromPlatform("c")
    #expect(h.takeDelivering().map(\.body) == ["c"])
  }

  @Test func outageKeepsEverythingInOrder() {
    var h = Harness()
    h.tell(.reached(Harness.partner), from: Harness.xmpp)
    let ids = (0..<5).map { h.submitFromPlatform("\($0)", id: "\($0)") }
    h.commit()
    #expect(h.takeDelivering().compactMap(\.body) == ["0", "1", "2", "3", "4"])
    h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
    #expect(ids.allSatisfy { h.answers[$0] == [.stored] }, "durable and the way is down: accepted")
    h.submitFromPlatform("5", id: "5")
    #expect(h.takeDelivering().isEmpty)
    h.tick(.milliseconds(499))
    #expect(h.takeDelivering().isEmpty, "the pause is at least half of retryMinimum")
    h.tick(.milliseconds(501))
    #expect(h.takeDelivering().compactMap(\.body) == ["0", "1", "2", "3", "4", "5"])
  }

  @Test func pausesGrowToTheMaximum() {
    var h = Harness()
    h.tell(.reached(Harness.partner), from: Harness.xmpp)
    h.submitFromPlatform("a")
    h.commit()
    var pauses: [Int64] = []
    for _ in 0..<10 {
      _ = h.takeDelivering()
      h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
      guard case .down(_, _, let kept, let retry)? = h.notes.last else { return #expect(Bool(false)) }
      #expect(kept == 1)
      pauses.append(retry.inMilliseconds)
      h.tick(retry)
      #expect(h.delivering.count == 1)
    }
    for (index, pause) in pauses.enumerated() {
      let longest = min(60_000, 1000 << Int64(index))
      #expect(pause >= longest / 2 && pause <= longest)
    }
  }

  @Test func timeToLiveEndsWithTheTrueReason() {
    var h = Harness()
    h.tell(.reached(Harness.corp), from: Harness.sip)
    h.submit("a", id: "m1")
    h.commit()
    _ = h.takeDelivering()
    h.tell(.lost(Harness.corp, Harness.unreachable, .transient), from: Harness.sip)
    h.tick(.seconds(3600))
    let report = h.takeDelivering().compactMap(\.report)
    #expect(report.count == 1 && report[0].messageID == "m1")
    #expect(report[0].error.condition == .remoteServerTimeout && report[0].error.detail.contains("connection refused"))
  }

  @Test func permanentLossBouncesEverything() {
    var h = Harness()
    h.tell(.reached(Harness.corp), from: Harness.sip)
    h.tick(.seconds(300))
    h.submit("a", id: "m1")
    h.commit()
    _ = h.takeDelivering()
    h.tell(
      .lost(Harness.corp, DeliveryError(.remoteServerNotFound, text: "", detail: "certificate"), .permanent),
      from: Harness.sip)
    #expect(h.takeDelivering().compactMap(\.report).map(\.error.condition) == [.remoteServerNotFound])
  }

  @Test func whatLooksPermanentIsForgivenForAMoment() {
    var h = Harness()
    h.tell(.reached(Harness.corp), from: Harness.sip)
    h.tick(.seconds(299))
    h.submit("a", id: "m1")
    h.commit()
    _ = h.takeDelivering()
    h.tell(
      .lost(Harness.corp, DeliveryError(.remoteServerNotFound, text: "", detail: "host-unknown"), .permanent),
      from: Harness.sip)
    #expect(h.takeDelivering().isEmpty && h.broker.count == 1)
    h.tick(.seconds(1))
    #expect(h.takeDelivering().map(\.body) == ["a"])
  }

  @Test func onePairHeldDoesNotStopOthers() {
    var h = Harness()
    h.submit("1", to: Address(user: "a", domain: "corp.test"))
    h.submit("2", to: Address(user: "a", domain: "corp.test"))
    let first = h.takeDelivering()
    h.tell(.deferred(first.map(\.id), Harness.unreachable), from: Harness.sip)
    h.submit("3", to: Address(user: "a", domain: "corp.test"))
    h.submit("4", to: Address(user: "b", domain: "corp.test"))
    #expect(h.takeDelivering().map(\.body) == ["4"])
    h.tick(.seconds(5))
    #expect(h.takeDelivering().map(\.body) == ["1", "2", "3"])
  }
}

@Suite struct RetryTests {
  @Test func sameConnectionNeverRepeats() {
    var h = Harness()
    h.submit("ok", id: "1", source: 9)
    h.submit("ok", id: "1", source: 9)
    #expect(h.takeDelivering().count == 2)
  }

  @Test func anotherConnectionDoes() {
    var h = Harness()
    h.submit("ok", id: "1", source: 9)
    let again = h.submit("ok", id: "1", source: 10)
    let other = h.submit("else", id: "1", source: 10)
    let entries = h.takeDelivering()
    #expect(entries.map(\.body) == ["ok", "else"])
    h.tell(.delivered(entries[0].id), from: Harness.sip)
    #expect(h.answers[again] == [.delivered] && h.answers[other] == nil)
    let late = h.submit("ok", id: "1", source: 11)
    #expect(h.answers[late] == [.delivered] && h.takeDelivering().isEmpty)
  }

  @Test func withoutAnIDNothingIsARetry() {
    var h = Harness()
    h.submit("ok", source: 9)
    h.submit("ok", source: 10)
    #expect(h.takeDelivering().count == 2)
  }

  @Test func recognisedAfterARestart() {
    var h = Harness()
    h.submit("a", id: "1", source: 3)
    h.commit()
    h.crash()
    let again = h.submit("a", id: "1", source: 1)
    #expect(h.takeDelivering().map(\.body) == ["a"])
    #expect(h.answers[again] == [.stored])
  }

  @Test func rememberedForItsTimeOnly() {
    var h = Harness()
    h.submit("a", id: "1", source: 1)
    h.tell(.delivered(h.takeDelivering()[0].id), from: Harness.sip)
    h.tick(.seconds(600))
    h.submit("a", id: "1", source: 2)
    #expect(h.takeDelivering().count == 1)
  }
}

@Suite struct LimitTests {
  @Test(
    arguments: [
      { (o: inout BrokerOptions) in o.entriesPerDestination = 3 },
      { (o: inout BrokerOptions) in o.entriesTotal = 3 },
      { (o: inout BrokerOptions) in o.bytesPerDestination = 3 * 257 },
      { (o: inout BrokerOptions) in o.bytesTotal = 3 * 257 },
    ] as [@Sendable (inout BrokerOptions) -> Void])
  func refusesBeyond(limit: @Sendable (inout BrokerOptions) -> Void) {
    var options = BrokerOptions()
    limit(&options)
    var h = Harness(options: options)
    for _ in 0..<3 { h.submit("x") }
    #expect(h.takeDelivering().count == 3)
    h.submit("x")
    #expect(h.takeDelivering().map(\.report?.error.condition) == [.resourceConstraint])
  }

  @Test func windowIsRespected() {
    var options = BrokerOptions()
    options.window = 2
    var h = Harness(options: options)
    for n in 0..<4 { h.submit("\(n)") }
    let first = h.takeDelivering()
    #expect(first.map(\.body) == ["0", "1"])
    h.tell(.delivered(first[1].id), from: Harness.sip)
    #expect(h.takeDelivering().map(\.body) == ["2"])
  }
}

@Suite struct SignalTests {
  @Test func passesOnlyWhileTheWayIsUp() {
    var h = Harness()
    let signal = Signal(
      from: Address(user: "juliet", domain: "partner.test"), to: Address(user: "romeo", domain: "corp.test"),
      kind: .composing)
    h.tell(.signalled(signal), from: Harness.xmpp)
    #expect(h.signals.isEmpty)
    h.tell(.reached(Harness.corp), from: Harness.sip)
    h.tell(.signalled(signal), from: Harness.xmpp)
    h.tell(.signalled(signal), from: Harness.sip)
    #expect(h.signals == [signal])
  }
}
