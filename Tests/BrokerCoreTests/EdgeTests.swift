import Testing

@testable import BrokerCore

@Suite struct RecoveryTests {
  private static func recovered(_ destination: Destination, from: Address, to: Address) -> (Broker, Entry) {
    let entry = Entry(
      id: EntryID(rawValue: 5), destination: destination,
      content: .message(Message(id: "m1", from: from, to: to, body: "a")),
      accepted: Timestamp(milliseconds: 0), expires: Timestamp(milliseconds: 10_000))
    let broker = Broker(
      options: BrokerOptions(), routes: Harness.routes,
      recovered: Recovered(entries: [entry], reached: [:], lastID: EntryID(rawValue: 5)), seed: 1,
      now: Timestamp(milliseconds: 1000))
    return (broker, entry)
  }

  /// Nobody would deliver it, and nobody would tell of it either.
  @Test func senderIsToldWhenTheDomainIsNoLongerConfigured() {
    var (broker, entry) = Self.recovered(
      Destination(adapter: Harness.sip, domain: "old.test"), from: Address(user: "juliet", domain: "partner.test"),
      to: Address(user: "romeo", domain: "old.test"))
    var actions = BrokerActions()
    broker.tick(now: Timestamp(milliseconds: 1000), into: &actions)
    let delivered = actions.commands.flatMap(\.commands).compactMap {
      if case .deliver(let entry) = $0 { entry } else { nil }
    }
    #expect(delivered.map(\.destination) == [Harness.partner])
    #expect(delivered.first?.report?.messageID == "m1")
    #expect(delivered.first?.report?.error.condition == .remoteServerNotFound)
    #expect(actions.store.contains { if case .remove(entry.id) = $0 { true } else { false } })
    #expect(broker.count == 1, "the report only")
  }

  @Test func aDomainThatMovedToAnotherAdapterIsReachedThere() {
    var (broker, entry) = Self.recovered(
      Destination(adapter: AdapterID("old-name"), domain: "corp.test"),
      from: Address(user: "juliet", domain: "partner.test"), to: Address(user: "romeo", domain: "corp.test"))
    var actions = BrokerActions()
    broker.tick(now: Timestamp(milliseconds: 1000), into: &actions)
    #expect(actions.commands.map(\.adapter) == [Harness.sip])
    guard case .deliver(let delivered)? = actions.commands.first?.commands.first else { return #expect(Bool(false)) }
    #expect(delivered.id == entry.id && delivered.destination == Harness.corp)
  }
}

@Suite struct ExpiryTests {
  /// A report lives a day, the message behind it an hour.
  @Test func aReportInFrontHoldsUpNoExpiry() {
    var h = Harness()
    h.tell(.reached(Harness.partner), from: Harness.xmpp)
    h.submit("to be refused", id: "m1")
    h.commit()
    let entry = h.takeDelivering()[0]
    h.tell(.refused(entry.id, DeliveryError(.itemNotFound, text: "No.", detail: "404")), from: Harness.sip)
    #expect(h.takeDelivering().count == 1)
    h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
    h.submitFromPlatform("waits", id: "m2")
    h.commit()
    h.tick(.seconds(3599))
    _ = h.takeDelivering()
    h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
    #expect(!h.notes.contains { if case .bounced(_, _, expired: true) = $0 { true } else { false } })
    h.tick(.seconds(1))
    #expect(h.takeDelivering().compactMap(\.report).contains { $0.messageID == "m2" })
    h.commit()
    #expect(h.disk.values.contains { $0.report?.messageID == "m1" }, "the report has time left")
  }

  @Test func heldEntriesExpireToo() {
    var options = BrokerOptions()
    options.pairRetry = .seconds(10_000)
    var h = Harness(options: options)
    h.submit("a", id: "m1")
    h.commit()
    h.tell(.deferred(h.takeDelivering().map(\.id), Harness.unreachable), from: Harness.sip)
    h.tick(.seconds(3600))
    #expect(h.takeDelivering().compactMap(\.report).map(\.messageID) == ["m1"])
  }
}

@Suite struct BoundTests {
  /// A partner that writes to people who do not exist and takes no answer.
  @Test func reportsThatNobodyTakesAreBounded() {
    var options = BrokerOptions()
    options.entriesPerDestination = 3
    var h = Harness(options: options)
    h.tell(.reached(Harness.partner), from: Harness.xmpp)
    h.tell(.lost(Harness.partner, Harness.unreachable, .transient), from: Harness.xmpp)
    for _ in 0..<20 {
      h.submit("x")
      h.commit()
      let error = DeliveryError(.itemNotFound, text: "No.", detail: "404")
      for entry in h.takeDelivering() where entry.report == nil { h.tell(.refused(entry.id, error), from: Harness.sip) }
    }
    #expect(h.broker.count == 6)
    #expect(h.notes.count { if case .reportDropped = $0 { true } else { false } } == 14, "and not silently")
  }

  /// Delivered after an outage that was longer than the memory for retries.
  @Test func nothingIsRememberedForEver() {
    var recent = RecentMessages(capacity: 10, keepFor: .seconds(600))
    let message = Message(
      id: "1", from: Address(user: "a", domain: "partner.test"), to: Address(user: "b", domain: "corp.test"), body: "x")
    func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }
    recent.saw(MessageKey(message), as: EntryID(rawValue: 1), source: 1, now: at(0))
    recent.expire(now: at(700))
    recent.delivered(message, as: EntryID(rawValue: 1), accepted: at(0), now: at(700))
    recent.expire(now: at(1299))
    #expect(recent.deliveredCount == 1)
    recent.expire(now: at(1300))
    #expect(recent.deliveredCount == 0)
    for id in 0..<20 { recent.delivered(message, as: EntryID(rawValue: UInt64(id)), accepted: at(0), now: at(1300)) }
    #expect(recent.deliveredCount == 10)
  }
}
