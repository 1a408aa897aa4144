import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// The real broker, the engine, and a platform that answers late, wrongly or not at all, hangs up and goes silent, in
/// virtual time. Whatever it does: nothing is lost, every conversation keeps its order, and nothing is left behind.
@Suite struct SIPChaosTests {
  @Test(arguments: SIPConfiguration.Mode.allCases, Array(1...10) as [UInt64])
  func nothingIsLostOrReordered(mode: SIPConfiguration.Mode, seed: UInt64) {
    var world = ChaosWorld(mode, seed: seed)
    for _ in 0..<1500 { world.step(chaos: true) }
    world.platformIsMute = false
    var steps = 0
    while world.broker.count > 0, steps < 20_000 {
      world.step(chaos: false)
      steps += 1
    }
    #expect(world.broker.count == 0, "entries are stuck")
    for (pair, bodies) in world.processed {
      var seen: Set<Int> = []
      let first = bodies.filter { seen.insert($0).inserted }
      #expect(first == first.sorted(), "\(pair) out of order: \(bodies)")
    }
    let processed = Set(world.processed.values.joined())
    let missing = Set(1...world.submitted).subtracting(processed).subtracting(world.bounced)
    #expect(missing.isEmpty, "lost: \(missing)")
    #expect(!processed.isEmpty)

    // Goodbye, and nothing remains.
    world.engine.stop(now: world.now)
    for _ in 0..<3000 { world.step(chaos: false) }
    #expect(world.engine.clients.isEmpty)
    #expect(world.engine.servers.isEmpty)
    #expect(world.engine.sessions.isEmpty)
    #expect(world.engine.dialogs.isEmpty)
    #expect(world.engine.flows.isEmpty)
    #expect(world.engine.submissions.isEmpty)
    #expect(world.engine.queue.count == 0)
    #expect(world.engine.timers.count == 0)
  }
}

struct ChaosWorld {
  private static let corp = AdapterID("corp")
  private static let xmpp = AdapterID("xmpp")

  var broker: Broker
  var engine: Engine
  var now: Int64 = 1_000_000
  var platformIsMute = false
  private(set) var submitted = 0
  private(set) var processed: [String: [Int]] = [:]
  private(set) var bounced: Set<Int> = []
  private var random: Generator
  private var later: [(due: Int64, event: Event)] = []
  private var framers: [FlowID: StreamFramer] = [:]
  private var muteFlows: Set<FlowID> = []
  private var lastFlow: FlowID = 0
  private var lastTick: Int64 = 1_000_000
  private var dialogs: [(invite: SIPRequest, flow: FlowID)] = []
  private var serial = 0

  private enum Event {
    case commands([AdapterCommand])
    case events([BrokerEvent])
    case stored([EntryID])
    case bytes(FlowID, [UInt8])
    case closed(FlowID)
    case connected(Bool)
  }

  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }

  init(_ mode: SIPConfiguration.Mode, seed: UInt64) {
    random = Generator(state: seed &* 0x9E37_79B9)
    var options = BrokerOptions()
    options.timeToLive = .seconds(1_000_000)
    broker = Broker(
      options: options,
      routes: Routes([
        Route(side: .partner, adapter: Self.xmpp, domain: "partner.test"),
        Route(side: .organisation, adapter: Self.corp, domain: "corp.test"),
      ]), recovered: Recovered(entries: [], reached: [:], lastID: EntryID(rawValue: 0)), seed: seed,
      now: Timestamp(milliseconds: now))
    var configuration = SIPHarness.configuration(mode)
    configuration.limits.outstandingRequests = 4
    engine = Engine(configuration, listenPort: 5061, seed: [UInt8(truncatingIfNeeded: seed)], now: now)
    engine.begin(now: now)
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  private mutating func after(_ delay: ClosedRange<Int64>, _ event: Event) {
    later.append((now + Int64.random(in: delay, using: &random), event))
  }

  mutating func step(chaos: Bool) {
    let jump = chaos && chance(2)
    let target =
      now + (jump ? Int64.random(in: 1000...20_000, using: &random) : Int64.random(in: 1...60, using: &random))
    if chaos {
      if chance(30) { submit() }
      if chance(1) { platformIsMute.toggle() }
      if chance(1), let flow = framers.keys.sorted().randomElement(using: &random) { after(0...0, .closed(flow)) }
      if chance(3) { hangUp() }
      if chance(2) { disturb() }
    }
    while true {
      let timer = engine.timers.nextDeadline() ?? .max
      // In the order of their times; what was sent first comes first.
      let next = later.indices.min { later[$0].due < later[$1].due }
      let due = min(timer, next.map { later[$0].due } ?? .max, lastTick + 100)
      guard due <= target else { break }
      now = max(now, due)
      if let next, later[next].due == due {
        handle(later.remove(at: next).event, chaos: chaos)
      } else if due == timer {
        engine.advance(to: now)
        drain(chaos: chaos)
      } else {
        lastTick = now
        turn { broker, time, actions in broker.tick(now: time, into: &actions) }
      }
    }
    now = target
  }

  private mutating func submit() {
    submitted += 1
    let message = Message(
      id: "m\(submitted)", from: Address(user: "a\(submitted % 2)", domain: "partner.test"),
      to: Address(user: "b\(submitted % 3)", domain: "corp.test"), body: "\(submitted)")
    let submission = Submission(
      id: SubmissionID(rawValue: UInt64(submitted)), message: message, answer: .whenSafe, source: 1)
    turn { broker, time, actions in broker.handle(.submitted(submission), from: Self.xmpp, now: time, into: &actions) }
  }

  private mutating func turn(_ work: (inout Broker, Timestamp, inout BrokerActions) -> Void) {
    var actions = BrokerActions()
    work(&broker, Timestamp(milliseconds: now), &actions)
    var stored: [EntryID] = []
    for case .append(let entry) in actions.store { stored.append(entry.id) }
    if !stored.isEmpty { after(5...5, .stored(stored)) }
    for note in actions.notes {
      switch note {
      case .bounced(let entry, _, _):
        if case .message(let message) = entry.content, let number = Int(message.body) { bounced.insert(number) }
      case .refused(let message, _, _): if let number = Int(message.body) { bounced.insert(number) }
      default: break
      }
    }
    for (adapter, commands) in actions.commands {
      if adapter == Self.corp {
        after(2...2, .commands(commands))
      } else {
        // The other side takes its failure reports.
        for case .deliver(let entry) in commands { after(1...1, .events([.delivered(entry.id)])) }
      }
    }
  }

  private mutating func handle(_ event: Event, chaos: Bool) {
    defer { drain(chaos: chaos) }
    switch event {
    case .commands(let commands): engine.perform(commands, now: now)
    case .events(let events):
      turn { broker, time, actions in
        for event in events { broker.handle(event, from: Self.corp, now: time, into: &actions) }
      }
    case .stored(let ids): turn { broker, time, actions in broker.handle(.committed(ids), now: time, into: &actions) }
    case .bytes(let flow, let bytes):
      guard framers[flow] != nil, !muteFlows.contains(flow) else { return }
      bytes.withUnsafeBytes { engine.received($0, on: flow, now: now) }
    case .closed(let flow):
      guard framers.removeValue(forKey: flow) != nil else { return }
      engine.flowClosed(flow, reason: "chaos", .transient, now: now)
    case .connected(let isConnected):
      guard isConnected else { return engine.linkFailed("chaos", .transient, now: now) }
      lastFlow += 1
      framers[lastFlow] = StreamFramer()
      if platformIsMute { muteFlows.insert(lastFlow) }
      engine.flowOpened(lastFlow, isLink: true, isTrusted: true, peer: "p", now: now)
    }
  }

  private mutating func drain(chaos: Bool) {
    for action in engine.takeActions() {
      switch action {
      case .write(let flow, let bytes):
        guard !platformIsMute, !muteFlows.contains(flow) else { break }
        framers[flow]?.append(bytes)
        while let event = framers[flow]?.next() {
          if case .message(.request(let request)) = event { answer(request, on: flow, chaos: chaos) }
        }
      case .close(let flow), .abort(let flow, _): after(0...3, .closed(flow))
      case .connect: after(1...500, .connected(!chaos || chance(80)))
      default: break
      }
    }
    let events = engine.takeEvents()
    if !events.isEmpty { after(2...2, .events(events)) }
  }

  private mutating func answer(_ request: SIPRequest, on flow: FlowID, chaos: Bool) {
    guard request.method != .ack else { return }
    var status = 200
    var delay: ClosedRange<Int64> = 1...20
    if chaos, request.method != .options {
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<4: status = 503
      case 4..<7: status = 480
      case 7..<9: status = [481, 488, 491, 408, 404, 415].randomElement(using: &random) ?? 481
      case 9..<11: return
      case 11..<14: delay = 1000...40_000
      case 14..<16: after(0...2, .closed(flow))
      default: break
      }
    }
    serial += 1
    var response = request.response(status, toTag: "p\(serial)")
    if request.method == .invite, status == 200 {
      response.headers.append(.contact, "<sip:somewhere@10.0.0.1>")
      var invite = request
      invite.headers.replace(.to, response.headers.string(.to) ?? "")
      dialogs.append((invite, flow))
    }
    if request.method == .message, status == 200, let number = Int(String(decoding: request.body, as: UTF8.self)) {
      let pair = [HeaderName.from, .to].compactMap {
        request.headers.first($0).flatMap(NameAddr.init(parsing:))?.uri?.user
      }
      processed[pair.joined(separator: "→"), default: []].append(number)
    }
    after(delay, .bytes(flow, response.bytes))
  }

  /// The platform ends a session of ours.
  private mutating func hangUp() {
    guard !dialogs.isEmpty else { return }
    let (invite, flow) = dialogs.removeFirst()
    guard let from = invite.headers.string(.from), let to = invite.headers.string(.to),
      let callID = invite.headers.string(.callID)
    else { return }
    let bye = """
      BYE sip:gw SIP/2.0\r
      Via: SIP/2.0/TLS p;branch=z9hG4bKbye\(now)\r
      From: \(to)\r
      To: \(from)\r
      Call-ID: \(callID)\r
      CSeq: 1 BYE\r
      Content-Length: 0\r
      \r

      """
    after(0...10, .bytes(flow, Array(bye.utf8)))
  }

  /// The platform's user opens a session of their own, and perhaps never acknowledges.
  private mutating func disturb() {
    guard let flow = framers.keys.max() else { return }
    serial += 1
    let text = SIPHarness.invite(branch: "x\(serial)", callID: "x\(serial)")
      .replacing("sip:bob@corp", with: "sip:b\(serial % 3)@corp").replacing("sip:alice@", with: "sip:a\(serial % 2)@")
    after(0...5, .bytes(flow, Array(text.replacing("\n", with: "\r\n").utf8)))
  }
}
