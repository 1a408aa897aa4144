import DequeModule

/// Routes, keeps and accounts for everything that crosses the gateway.
///
/// A pure state machine: events and the time go in, `BrokerActions` come out, and while it holds anything `tick` is
/// called a few times a second. It knows no protocol; adapters and the store are behind the ports in Ports.swift. Driven
/// by `BrokerDriver` of the Gateway target, on one event loop.
///
/// The life of a message: *submitted* → checked against the routes, the limits and the recent messages → given an id,
/// handed to the store and, without waiting for the disk, to the adapter → *delivered* (gone), *refused* (its sender is
/// told) or given back (it waits and is tried again until its time to live ends). Its sender is answered when the
/// message is delivered or durable, whichever comes first: ack means safe.
package struct Broker: Sendable {
  struct Pending: Sendable {
    var entry: Entry
    var line: Int
    var key: MessageKey?
    var durable = false
    /// The store could not write it: it lives in memory only and was not acknowledged.
    var unstorable: String?
    var answers: [PendingAnswer] = []
  }

  struct PendingAnswer: Sendable {
    var adapter: AdapterID
    var submission: SubmissionID
    var policy: Submission.AnswerPolicy
    var due: Timestamp
  }

  /// How exactly retries, answers and times to live are kept.
  package static let tickInterval = Duration.milliseconds(100)

  package let options: BrokerOptions
  private var routes: Routes
  private var lines: [Line] = []
  private var lineIndex: [Destination: Int] = [:]
  private var entries: [EntryID: Pending] = [:]
  private var recent: RecentMessages
  /// Whose answer falls due when; the delay is the same for all, so the order is that of submission.
  private var dueAnswers: Deque<(entry: EntryID, due: Timestamp)> = []
  /// Recovered entries for domains that are no longer configured; their senders are told at the first tick.
  private var orphans: [EntryID] = []
  private var lastID: EntryID
  private var bytes = 0
  private var random: SplitMix64

  package init(options: BrokerOptions, routes: Routes, recovered: Recovered, seed: UInt64, now: Timestamp) {
    self.options = options
    self.routes = routes
    lastID = recovered.lastID
    random = SplitMix64(state: seed)
    recent = RecentMessages(capacity: options.remembered, keepFor: options.rememberFor)
    for route in routes.all { _ = line(for: route.destination) }
    for (destination, reached) in recovered.reached {
      let index = line(for: destination)
      lines[index].lastReached = reached
      lines[index].storedReached = reached
    }
    for var entry in recovered.entries {
      lastID = max(lastID, entry.id)
      // The configuration may have changed since: the domain has moved to another adapter, or is gone.
      if let route = routes[entry.destination.domain] {
        entry.destination = route.destination
      } else {
        orphans.append(entry.id)
      }
      var pending = Pending(entry: entry, line: line(for: entry.destination), durable: true)
      if case .message(let message) = entry.content {
        let key = MessageKey(message)
        pending.key = key
        recent.saw(key, as: entry.id, source: 0, now: now)
      }
      insert(pending)
    }
  }

  // MARK: Events

  package mutating func handle(
    _ event: BrokerEvent, from adapter: AdapterID, now: Timestamp, into actions: inout BrokerActions
  ) {
    switch event {
    case .submitted(let submission): submitted(submission, by: adapter, now: now, into: &actions)
    case .signalled(let signal): signalled(signal, by: adapter, into: &actions)
    case .delivered(let id): delivered(id, now: now, into: &actions)
    case .refused(let id, let error): refused(id, error, now: now, into: &actions)
    case .deferred(let ids, let error): deferred(ids, error, now: now, into: &actions)
    case .reached(let destination):
      guard let index = lineIndex[destination] else { return }
      reached(index, now: now, into: &actions)
      dispatch(index, now: now, into: &actions)
    case .lost(let destination, let error, let permanence):
      lost(destination, error, permanence, now: now, into: &actions)
    }
  }

  package mutating func handle(_ event: StoreEvent, now: Timestamp, into actions: inout BrokerActions) {
    switch event {
    case .committed(let ids):
      for id in ids {
        guard entries[id] != nil else { continue }
        entries[id]!.durable = true
        answerIfSafe(id, now: now, into: &actions)
      }
    case .failed(let ids, let reason):
      for id in ids {
        guard entries[id] != nil else { continue }
        entries[id]!.unstorable = reason
        actions.notes.append(.notDurable(id, reason: reason))
        // An adapter may be delivering it at this moment: its outcome decides.
        if !lines[entries[id]!.line].inFlight.contains(id) { giveUpUnstorable(id, now: now, into: &actions) }
      }
    }
  }

  /// Does what has fallen due. Call at the start, so that what was recovered sets off, and every
  /// `tickInterval` while `count` is not 0.
  package mutating func tick(now: Timestamp, into actions: inout BrokerActions) {
    recent.expire(now: now)
    tellOrphans(now: now, into: &actions)
    while let first = dueAnswers.first, first.due <= now {
      dueAnswers.removeFirst()
      answerIfSafe(first.entry, now: now, into: &actions)
    }
    for index in lines.indices {
      lines[index].releaseHolds(now: now)
      expire(index, now: now, into: &actions)
      dispatch(index, now: now, into: &actions)
    }
  }

  // MARK: Reading

  package struct LineStatus: Sendable {
    package var destination: Destination
    package var isUp: Bool
    package var entries: Int
    package var bytes: Int
    package var oldest: Timestamp?
    package var lastError: DeliveryError?
  }

  package var status: [LineStatus] {
    lines.map { line in
      let oldest = (line.waiting.first.map { [$0] } ?? []) + (line.inFlight.min().map { [$0] } ?? [])
      var status = LineStatus(
        destination: line.destination, isUp: false, entries: line.count, bytes: line.bytes,
        oldest: oldest.compactMap { entries[$0]?.entry.accepted }.min(), lastError: nil)
      switch line.state {
      case .untried: break
      case .up: status.isUp = true
      case .down(let error, _): status.lastError = error
      }
      return status
    }
  }

  /// Entries that the gateway owes to somebody.
  package var count: Int { entries.count }
}

// MARK: - Submissions

extension Broker {
  private mutating func submitted(
    _ submission: Submission, by adapter: AdapterID, now: Timestamp, into actions: inout BrokerActions
  ) {
    let message = submission.message
    let answer = PendingAnswer(
      adapter: adapter, submission: submission.id, policy: submission.answer, due: now + options.answerDelay)

    let route: Route
    do { route = try routes.resolve(from: message.from, to: message.to, adapter: adapter) } catch {
      return refuse(message, error, answering: answer, now: now, into: &actions)
    }

    let key = MessageKey(message)
    if let sighting = recent.retried(key, source: submission.source, messageID: message.id) {
      actions.notes.append(.duplicate(sighting.entry, by: adapter))
      guard entries[sighting.entry] != nil else {
        return actions.tell(adapter, .answer(submission.id, .delivered))
      }
      entries[sighting.entry]!.answers.append(answer)
      dueAnswers.append((sighting.entry, answer.due))
      return answerIfSafe(sighting.entry, now: now, into: &actions)
    }

    let index = line(for: route.destination)
    if case .down(let error, let retry) = lines[index].state, retry > now, !isOutage(index, now: now) {
      return refuse(message, error, answering: answer, now: now, into: &actions)
    }
    if let error = overload(index, adding: message) {
      return refuse(message, error, answering: answer, now: now, into: &actions)
    }

    let entry = Entry(
      id: nextID(), destination: route.destination, content: .message(message), accepted: now,
      expires: now + options.timeToLive)
    recent.saw(key, as: entry.id, source: submission.source, now: now)
    insert(Pending(entry: entry, line: index, key: key, answers: [answer]))
    dueAnswers.append((entry.id, answer.due))
    actions.store.append(.append(entry))
    actions.notes.append(.accepted(entry.destination))
    dispatch(index, now: now, into: &actions)
  }

  /// It is not taken. Who waits for an outcome has it; to anybody else the reason goes as a report, which is as safe as a
  /// message, before the submission counts as answered. A stranger's domain gets neither line nor report.
  private mutating func refuse(
    _ message: Message, _ error: DeliveryError, answering answer: PendingAnswer, now: Timestamp,
    into actions: inout BrokerActions
  ) {
    actions.notes.append(.refused(message, by: answer.adapter, error))
    if answer.policy == .whenSafe, routes[message.from.domain]?.destination.adapter == answer.adapter {
      let report = FailureReport(of: message, accepted: now, error: error)
      enqueue(report, answering: [answer], now: now, into: &actions)
    } else {
      actions.tell(answer.adapter, .answer(answer.submission, .refused(error)))
    }
  }

  private func overload(_ index: Int, adding message: Message) -> DeliveryError? {
    let line = lines[index]
    let exceeded: String? =
      if line.count >= options.entriesPerDestination {
        "messages-per-destination \(options.entriesPerDestination)"
      } else if line.bytes + message.body.utf8.count > options.bytesPerDestination {
        "bytes-per-destination \(options.bytesPerDestination)"
      } else if entries.count >= options.entriesTotal {
        "messages-total \(options.entriesTotal)"
      } else if bytes + message.body.utf8.count > options.bytesTotal {
        "bytes-total \(options.bytesTotal)"
      } else { nil }
    return exceeded.map {
      DeliveryError(
        .resourceConstraint, text: "Too many messages are waiting for \(line.destination). Please try again later.",
        detail: "queue for \(line.destination) is full: limit \($0)")
    }
  }

  private func signalled(_ signal: Signal, by adapter: AdapterID, into actions: inout BrokerActions) {
    guard let route = try? routes.resolve(from: signal.from, to: signal.to, adapter: adapter),
      let index = lineIndex[route.destination], case .up = lines[index].state
    else { return }
    actions.tell(route.destination.adapter, .signal(signal, route.destination))
  }
}

// MARK: - Outcomes

extension Broker {
  private mutating func delivered(_ id: EntryID, now: Timestamp, into actions: inout BrokerActions) {
    guard let pending = remove(id, into: &actions) else { return }
    for answer in pending.answers { actions.tell(answer.adapter, .answer(answer.submission, .delivered)) }
    if case .message(let message) = pending.entry.content {
      recent.delivered(message, as: id, accepted: pending.entry.accepted, now: now)
    }
    actions.notes.append(.delivered(pending.entry, after: now - pending.entry.accepted))
    reached(pending.line, now: now, into: &actions)
    dispatch(pending.line, now: now, into: &actions)
  }

  private mutating func refused(
    _ id: EntryID, _ error: DeliveryError, now: Timestamp, into actions: inout BrokerActions
  ) {
    guard let index = entries[id]?.line else {
      // Confirmed first, refused afterwards: its sender was told that it arrived and must hear otherwise.
      guard let late = recent.takeDelivered(id) else { return }
      let report = FailureReport(
        messageID: late.messageID, sender: late.from, recipient: late.to, thread: late.thread,
        accepted: late.accepted, error: error)
      return enqueue(report, now: now, into: &actions)
    }
    fail(id, error, expired: false, now: now, into: &actions)
    reached(index, now: now, into: &actions)
    dispatch(index, now: now, into: &actions)
  }

  private mutating func deferred(
    _ ids: [EntryID], _ error: DeliveryError, now: Timestamp, into actions: inout BrokerActions
  ) {
    var touched: Set<Int> = []
    for id in ids.sorted() {
      guard let pending = entries[id], lines[pending.line].inFlight.remove(id) != nil else { continue }
      touched.insert(pending.line)
      if pending.unstorable != nil {
        giveUpUnstorable(id, now: now, into: &actions)
        continue
      }
      let pair = Pair(pending.entry)
      lines[pending.line].holds[pair, default: Line.Hold(until: now + options.pairRetry, ids: [])].ids.append(id)
      answerIfSafe(id, now: now, into: &actions)
    }
    for index in touched { dispatch(index, now: now, into: &actions) }
  }

  private mutating func lost(
    _ destination: Destination, _ error: DeliveryError, _ permanence: BrokerEvent.Permanence, now: Timestamp,
    into actions: inout BrokerActions
  ) {
    guard let index = lineIndex[destination] else { return }
    lines[index].recallAll()
    let memory = permanence == .transient ? options.outageMemory : options.mistakeGrace
    let keep = wasReached(index, within: memory, now: now)
    let pause = keep ? backOff(after: lines[index].failures) : options.retryMinimum
    lines[index].failures += 1
    lines[index].state = .down(error, retry: now + pause)
    let waiting = lines[index].waiting
    actions.notes.append(.down(destination, error, kept: keep ? lines[index].count : 0, retry: pause))
    for id in waiting {
      guard let pending = entries[id] else { continue }
      if !keep {
        fail(id, error, expired: false, now: now, into: &actions)
      } else if pending.unstorable != nil {
        giveUpUnstorable(id, now: now, into: &actions)
      } else {
        answerIfSafe(id, now: now, into: &actions)
      }
    }
    if !keep {
      lines[index].waiting.removeAll()
    }
    expire(index, now: now, into: &actions)
  }

  private mutating func reached(_ index: Int, now: Timestamp, into actions: inout BrokerActions) {
    lines[index].failures = 0
    lines[index].lastReached = now
    if case .up = lines[index].state {
    } else {
      lines[index].state = .up
      actions.notes.append(.up(lines[index].destination, waiting: lines[index].count))
    }
    // Once an hour is exact enough for a memory of days.
    if let stored = lines[index].storedReached, now - stored < .seconds(3600) { return }
    lines[index].storedReached = now
    actions.store.append(.reached(lines[index].destination, now))
  }

  private mutating func tellOrphans(now: Timestamp, into actions: inout BrokerActions) {
    for id in orphans {
      guard let domain = entries[id]?.entry.destination.domain else { continue }
      let error = DeliveryError(
        .remoteServerNotFound, text: "There is no way to \(domain) from here any longer.",
        detail: "\(domain) is no longer configured")
      fail(id, error, expired: false, now: now, into: &actions)
    }
    orphans = []
  }

  private mutating func expire(_ index: Int, now: Timestamp, into actions: inout BrokerActions) {
    guard let soonest = lines[index].soonestExpiry, soonest <= now else { return }
    var expired: [EntryID] = []
    var next: Timestamp?
    for id in lines[index].ids {
      guard let expires = entries[id]?.entry.expires else { continue }
      // Of one in flight the outcome is about to be known.
      if expires <= now, !lines[index].inFlight.contains(id) {
        expired.append(id)
      } else {
        next = min(next ?? expires, expires)
      }
    }
    lines[index].soonestExpiry = next
    for id in expired { expireEntry(id, now: now, into: &actions) }
    // In a long outage nobody else takes out the ids of those that are gone.
    lines[index].waiting.removeAll { [entries] in entries[$0] == nil }
  }

  private mutating func expireEntry(_ id: EntryID, now: Timestamp, into actions: inout BrokerActions) {
    guard let pending = entries[id] else { return }
    var error = DeliveryError(
      .remoteServerTimeout, text: "It could not be delivered in time.", detail: "time to live ended")
    if case .down(let cause, _) = lines[pending.line].state {
      error = cause
      error.detail = "time to live ended; last error: \(cause.detail)"
    }
    fail(id, error, expired: true, now: now, into: &actions)
  }

  /// The entry will not be delivered. Its sender is told: by the answer they still wait for, else by a report.
  private mutating func fail(
    _ id: EntryID, _ error: DeliveryError, expired: Bool, now: Timestamp, into actions: inout BrokerActions
  ) {
    guard let pending = remove(id, into: &actions) else { return }
    if let key = pending.key { recent.forget(key, entry: id) }
    guard case .message(let message) = pending.entry.content else {
      actions.notes.append(.reportDropped(pending.entry, error))
      for answer in pending.answers { actions.tell(answer.adapter, .answer(answer.submission, .refused(error))) }
      return
    }
    actions.notes.append(.bounced(pending.entry, error, expired: expired))
    // One answer tells the sender; other submissions of the same message are retries of the same sender.
    let waiting = pending.answers.filter { $0.policy == .whenKnown }
    if !waiting.isEmpty, waiting.count == pending.answers.count {
      for answer in waiting { actions.tell(answer.adapter, .answer(answer.submission, .refused(error))) }
    } else {
      let report = FailureReport(of: message, accepted: pending.entry.accepted, error: error)
      enqueue(report, answering: pending.answers, now: now, into: &actions)
    }
  }

  /// Puts a report in the line back to the sender. Whoever still waits for an answer gets it when the report is safe.
  private mutating func enqueue(
    _ report: FailureReport, answering answers: [PendingAnswer] = [], now: Timestamp, into actions: inout BrokerActions
  ) {
    guard let route = routes[report.sender.domain] else {
      for answer in answers { actions.tell(answer.adapter, .answer(answer.submission, .refused(report.error))) }
      return
    }
    let index = line(for: route.destination)
    let entry = Entry(
      id: nextID(), destination: route.destination, content: .failure(report), accepted: now,
      expires: now + options.reportTimeToLive)
    // A sender who takes nothing back must not fill the memory with what cannot be told. Twice the limit of messages, so
    // that those that wait leave room for reports.
    guard lines[index].count < 2 * options.entriesPerDestination, entries.count < 2 * options.entriesTotal else {
      actions.notes.append(.reportDropped(entry, report.error))
      for answer in answers { actions.tell(answer.adapter, .answer(answer.submission, .refused(report.error))) }
      return
    }
    insert(Pending(entry: entry, line: index, answers: answers))
    actions.store.append(.append(entry))
    dispatch(index, now: now, into: &actions)
  }

  private mutating func giveUpUnstorable(_ id: EntryID, now: Timestamp, into actions: inout BrokerActions) {
    guard let pending = entries[id] else { return }
    if case .failure = pending.entry.content, pending.answers.isEmpty { return }
    guard !pending.answers.isEmpty, let reason = pending.unstorable else { return }
    let error = DeliveryError(
      .resourceConstraint, text: "The message could not be kept safe. Please try again later.",
      detail: "store: \(reason)")
    _ = remove(id, into: &actions)
    if let key = pending.key { recent.forget(key, entry: id) }
    for answer in pending.answers { actions.tell(answer.adapter, .answer(answer.submission, .refused(error))) }
    actions.notes.append(.bounced(pending.entry, error, expired: false))
  }
}

// MARK: - Shared steps

extension Broker {
  private mutating func line(for destination: Destination) -> Int {
    if let index = lineIndex[destination] { return index }
    lines.append(Line(destination: destination))
    lineIndex[destination] = lines.count - 1
    return lines.count - 1
  }

  private mutating func nextID() -> EntryID {
    lastID.rawValue += 1
    return lastID
  }

  private mutating func insert(_ pending: Pending) {
    let cost = pending.entry.cost
    lines[pending.line].count += 1
    lines[pending.line].bytes += cost
    bytes += cost
    let expires = pending.entry.expires
    lines[pending.line].soonestExpiry = min(lines[pending.line].soonestExpiry ?? expires, expires)
    lines[pending.line].waiting.append(pending.entry.id)
    entries[pending.entry.id] = pending
  }

  /// Takes the entry out of memory and store. Its id may remain in a queue, where it is skipped.
  private mutating func remove(_ id: EntryID, into actions: inout BrokerActions) -> Pending? {
    guard let pending = entries.removeValue(forKey: id) else { return nil }
    let cost = pending.entry.cost
    lines[pending.line].count -= 1
    lines[pending.line].bytes -= cost
    bytes -= cost
    lines[pending.line].inFlight.remove(id)
    actions.store.append(.remove(id))
    return pending
  }

  /// Hands out what may go, in order.
  private mutating func dispatch(_ index: Int, now: Timestamp, into actions: inout BrokerActions) {
    if case .down(_, let retry) = lines[index].state, retry > now { return }
    while lines[index].inFlight.count < options.window, let id = lines[index].waiting.popFirst() {
      guard let pending = entries[id] else { continue }
      if pending.entry.expires <= now {
        expireEntry(id, now: now, into: &actions)
        continue
      }
      if !lines[index].holds.isEmpty {
        let pair = Pair(pending.entry)
        if lines[index].holds[pair] != nil {
          lines[index].holds[pair]!.ids.append(id)
          continue
        }
      }
      lines[index].inFlight.insert(id)
      actions.tell(lines[index].destination.adapter, .deliver(pending.entry))
    }
  }

  /// Answers the submissions of a durable entry whose senders need not wait any longer.
  private mutating func answerIfSafe(_ id: EntryID, now: Timestamp, into actions: inout BrokerActions) {
    guard let pending = entries[id], pending.durable, !pending.answers.isEmpty else { return }
    var isDown = false
    if case .down = lines[pending.line].state { isDown = true }
    let isHeld = !lines[pending.line].inFlight.contains(id)
    var remaining: [PendingAnswer] = []
    for answer in pending.answers {
      if answer.policy == .whenSafe || answer.due <= now || (isDown && isHeld) {
        actions.tell(answer.adapter, .answer(answer.submission, .stored))
      } else {
        remaining.append(answer)
      }
    }
    entries[id]!.answers = remaining
  }

  private func isOutage(_ index: Int, now: Timestamp) -> Bool {
    wasReached(index, within: options.outageMemory, now: now)
  }

  private func wasReached(_ index: Int, within time: Duration, now: Timestamp) -> Bool {
    guard let reached = lines[index].lastReached else { return false }
    return now - reached < time
  }

  /// Doubling pauses with full jitter over their second half, so that many gateways do not return in step.
  private mutating func backOff(after failures: Int) -> Duration {
    let longest = options.retryMaximum.inMilliseconds
    let pause = min(longest, options.retryMinimum.inMilliseconds << min(failures, 20))
    return .milliseconds(pause / 2 + Int64(random.next() % UInt64(pause / 2 + 1)))
  }
}

/// A small generator for jitter; not for secrets.
struct SplitMix64: RandomNumberGenerator, Sendable {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
