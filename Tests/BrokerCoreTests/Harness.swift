@testable import BrokerCore

/// A broker with everything around it played by the test: store, adapters and clock do what they are told, when they are
/// told.
struct Harness {
  static let xmpp = AdapterID("xmpp")
  static let sip = AdapterID("sip")
  static let partner = Destination(adapter: xmpp, domain: "partner.test")
  static let corp = Destination(adapter: sip, domain: "corp.test")
  static let routes = Routes([
    Route(side: .partner, adapter: xmpp, domain: "partner.test"),
    Route(side: .partner, adapter: xmpp, domain: "other.test"),
    Route(side: .organisation, adapter: sip, domain: "corp.test"),
  ])
  static let unreachable = DeliveryError(.remoteServerTimeout, text: "No answer.", detail: "connection refused")

  var broker: Broker
  var now = Timestamp(milliseconds: 1_000_000)
  /// What the disk holds.
  var disk: [EntryID: Entry] = [:]
  var uncommitted: [StoreOperation] = []
  var reached: [Destination: Timestamp] = [:]
  var delivering: [Entry] = []
  var signals: [Signal] = []
  var answers: [SubmissionID: [Answer]] = [:]
  var notes: [BrokerNote] = []
  var nextSubmission: UInt64 = 0

  init(options: BrokerOptions = BrokerOptions()) {
    broker = Broker(
      options: options, routes: Self.routes,
      recovered: Recovered(entries: [], reached: [:], lastID: EntryID(rawValue: 0)),
      seed: 7, now: Timestamp(milliseconds: 1_000_000))
  }

  private mutating func run(_ actions: BrokerActions) {
    uncommitted += actions.store
    notes += actions.notes
    for (_, commands) in actions.commands {
      for command in commands {
        switch command {
        case .deliver(let entry): delivering.append(entry)
        case .signal(let signal, _): signals.append(signal)
        case .answer(let id, let answer): answers[id, default: []].append(answer)
        }
      }
    }
  }

  mutating func tell(_ event: BrokerEvent, from adapter: AdapterID) {
    var actions = BrokerActions()
    broker.handle(event, from: adapter, now: now, into: &actions)
    run(actions)
  }

  mutating func tick(_ duration: Duration = .zero) {
    now = now + duration
    var actions = BrokerActions()
    broker.tick(now: now, into: &actions)
    run(actions)
  }

  @discardableResult
  mutating func submit(
    _ body: String, id: String = "", from: Address = Address(user: "juliet", domain: "partner.test"),
    to: Address = Address(user: "romeo", domain: "corp.test"), adapter: AdapterID = Self.xmpp,
    answer: Submission.AnswerPolicy = .whenSafe, source: UInt64 = 1
  ) -> SubmissionID {
    nextSubmission += 1
    let submission = SubmissionID(rawValue: nextSubmission)
    let message = Message(id: id, from: from, to: to, body: body)
    tell(.submitted(Submission(id: submission, message: message, answer: answer, source: source)), from: adapter)
    return submission
  }

  /// From the platform to the partner, as the SIP side submits.
  @discardableResult
  mutating func submitFromPlatform(_ body: String, id: String = "", source: UInt64 = 0) -> SubmissionID {
    submit(
      body, id: id, from: Address(user: "romeo", domain: "corp.test"),
      to: Address(user: "juliet", domain: "partner.test"),
      adapter: Self.sip, answer: .whenKnown, source: source)
  }

  mutating func commit() {
    let operations = uncommitted
    uncommitted = []
    var committed: [EntryID] = []
    for operation in operations {
      switch operation {
      case .append(let entry):
        disk[entry.id] = entry
        committed.append(entry.id)
      case .remove(let id): disk[id] = nil
      case .reached(let destination, let time): reached[destination] = time
      }
    }
    var actions = BrokerActions()
    broker.handle(.committed(committed), now: now, into: &actions)
    run(actions)
  }

  mutating func failCommit(_ reason: String) {
    let ids = uncommitted.compactMap { if case .append(let entry) = $0 { entry.id } else { nil } }
    uncommitted = []
    var actions = BrokerActions()
    broker.handle(.failed(ids, reason: reason), now: now, into: &actions)
    run(actions)
  }

  mutating func takeDelivering() -> [Entry] {
    defer { delivering = [] }
    return delivering
  }

  /// kill -9, then a start on what the disk holds.
  mutating func crash() {
    uncommitted = []
    delivering = []
    let entries = disk.values.sorted { $0.id < $1.id }
    let last = max(entries.last?.id ?? EntryID(rawValue: 0), EntryID(rawValue: 1_000_000))
    broker = Broker(
      options: broker.options, routes: Self.routes,
      recovered: Recovered(entries: entries, reached: reached, lastID: last),
      seed: 8, now: now)
    tick()
  }
}

extension Entry {
  var body: String? { if case .message(let message) = content { message.body } else { nil } }
  var report: FailureReport? { if case .failure(let report) = content { report } else { nil } }
}
