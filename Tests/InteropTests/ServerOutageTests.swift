import Foundation
import Lab
import Testing

extension InteropTests {
  /// As in `OutageTests`, with real servers: while the other side is away messages are kept; afterwards all arrive, in
  /// order. Only what was under way when it went may come twice, and then with the same id.
  @Suite(.serialized) struct ServerOutageTests {
    static let lines = (1...25).map { "line \($0)" }

    /// Waits for the end of the minute, if it is to be one (see `OutageTests.seconds`).
    private func hold(since start: ContinuousClock.Instant) async throws {
      guard OutageTests.isLong else { return }
      try await Task.sleep(until: start + .seconds(OutageTests.seconds))
    }

    enum Outage: String, CaseIterable, Sendable {
      /// The server: kill -STOP, or kill -9 and a new start. Its connections: reset, stalled, their packets lost.
      case stopped, crashed, reset, stalled, dropped

      var isOfTheServer: Bool { self == .stopped || self == .crashed }
    }

    /// The way from the gateway to one server.
    private struct Way {
      let relay: TCPRelay
      let namespace: NetworkNamespace?

      init(to port: Int, _ namespace: NetworkNamespace?) throws {
        self.namespace = namespace
        let source = try Loopback.freePort()
        relay = try TCPRelay(
          from: namespace.map { .inside($0, port: source) } ?? .init(port: source), to: .init(port: port))
      }

      var address: String { namespace?.inside ?? Loopback.address }

      func cut(_ outage: Outage) async throws {
        switch outage {
        case .stopped, .crashed: break
        case .reset: try relay.set(.refusing)
        case .stalled: try relay.set(.swallowing)
        case .dropped: try await namespace?.drop(ports: [relay.port])
        }
      }

      func mend() async throws {
        try relay.set(.passing)
        try await namespace?.drop(ports: [])
      }
    }

    /// A stage with a way in it that can be cut.
    private func withWay(
      _ outage: Outage, _ plan: Stage.Plan,
      lay: @escaping @Sendable (inout GatewayConfiguration, NetworkNamespace?) throws -> Way,
      _ body: (Stage, Way) async throws -> Void
    ) async throws {
      try await withWorkspace { workspace in
        let namespace = outage == .dropped ? try await NetworkNamespace(in: workspace) : nil
        let laid = Laid()
        var plan = plan
        plan.gateway = { configuration in
          configuration.beImpatient()
          laid.way = try? lay(&configuration, namespace)
        }
        let stage = try await Stage(plan, in: workspace)
        do {
          try await body(stage, try #require(laid.way))
        } catch {
          await namespace?.close()
          throw LabError("\(error)", log: stage.logs())
        }
        await namespace?.close()
      }
    }

    private final class Laid: @unchecked Sendable {
      var way: Way?
    }

    @Test(.timeLimit(.minutes(4)), arguments: Outage.allCases)
    func prosody(_ outage: Outage) async throws {
      try await withWay(
        outage, Stage.Plan(),
        lay: { configuration, namespace in
          let port = try #require(configuration.dns.port(of: "_xmpp-server._tcp.partner.test"))
          let way = try Way(to: port, namespace)
          configuration.partners[0].address = way.address
          configuration.partners[0].port = way.relay.port
          return way
        }
      ) { stage, way in
        let prosody = try #require(stage.prosody)
        var juliet = try await stage.xmppUser()
        let romeo = try await stage.sipUser(over: .tcp)
        try await converse(juliet, romeo)
        let start = ContinuousClock.now
        try await way.cut(outage)
        if outage == .stopped { prosody.process.signal(SIGSTOP) }
        if outage == .crashed { await prosody.process.kill() }
        for line in Self.lines {
          let reply = try await romeo.say(line, to: "sip:juliet@partner.test")
          #expect(reply.status == 200 || reply.status == 202, "\(line): \(reply.status) \(reply.reason)")
          // Prosody's own stream to the gateway is well.
          if !outage.isOfTheServer { juliet.say("back \(line)", to: "romeo@corp.test") }
        }
        try await hold(since: start)
        let end = ContinuousClock.now
        try await way.mend()
        if outage == .stopped { prosody.process.signal(SIGCONT) }
        if outage == .crashed {
          try await prosody.restart()
          juliet = try await stage.xmppUser()
        }
        try await expectAll(within: .seconds(30)) { try await juliet.hear(within: $0).node }
        print("Prosody \(outage) for \(end - start): all there after \(ContinuousClock.now - end)")
        if !outage.isOfTheServer {
          for line in Self.lines { #expect(try await romeo.hear().text == "back \(line)") }
        }
        try await converse(juliet, romeo, "afterwards")
      }
    }

    /// A connection that stalls looks to the gateway as one to a stopped process does.
    @Test(.timeLimit(.minutes(4)), arguments: Outage.allCases.filter { $0 != .stalled })
    func kamailio(_ outage: Outage) async throws {
      let port = try Loopback.freePort()
      var plan = Stage.Plan()
      // Registrations do not outlive Kamailio.
      plan.kamailio = { $0.fixedUsers = ["romeo": port] }
      try await withWay(
        outage, plan,
        lay: { configuration, namespace in
          let way = try Way(to: configuration.platforms[0].nextHopPort, namespace)
          configuration.dns.set(configuration.platforms[0].nextHop, [.a(way.address)])
          configuration.platforms[0].nextHopPort = way.relay.port
          return way
        }
      ) { stage, way in
        let juliet = try await stage.xmppUser()
        let romeo = try await stage.sipUser(over: .tcp, fixedPort: port)
        try await converse(juliet, romeo)
        var accepted: [String] = []
        let start = ContinuousClock.now
        try await way.cut(outage)
        if outage == .stopped { stage.kamailio.process.signalGroup(SIGSTOP) }
        if outage == .crashed { await stage.kamailio.process.kill() }
        for line in Self.lines {
          juliet.say(line, to: "romeo@corp.test")
          // Kamailio sends its own requests on the same connection (RFC 5923) and learns of a reset only.
          if outage == .reset {
            // Kamailio says 477 or 408 for the one that it is sending when the reset comes, and that one may have
            // reached us or not.
            let reply = try await romeo.say("back \(line)", to: "sip:juliet@partner.test")
            #expect([200, 408, 477].contains(reply.status), "\(line): \(reply.status) \(reply.reason)")
            if reply.status == 200 { accepted.append("back \(line)") }
          }
        }
        // The gateway has noticed; nothing has been answered with an error.
        #expect(try await waitUntil(within: .seconds(20)) { stage.gateway.log.contains("does not answer") })
        try await hold(since: start)
        let end = ContinuousClock.now
        try await way.mend()
        if outage == .stopped { stage.kamailio.process.signalGroup(SIGCONT) }
        if outage == .crashed { try await stage.kamailio.restart() }
        var seen: [String] = []
        while seen.last != Self.lines.last { seen.append(try await romeo.hear(within: .seconds(60)).text) }
        #expect(inOrder(seen), "\(seen)")
        print("Kamailio \(outage) for \(end - start): all there after \(ContinuousClock.now - end)")
        if outage == .reset { #expect(accepted.count >= Self.lines.count - 2) }
        for line in accepted { _ = try await juliet.hear(body: line) }
        // Romeo's own connection went with the old Kamailio; he can only be called.
        juliet.say("afterwards", to: "romeo@corp.test")
        _ = try await romeo.hear(body: "afterwards")
      }
    }

    /// kill -9 of the gateway with messages waiting: they are there after the restart.
    @Test(.timeLimit(.minutes(2))) func gatewayCrash() async throws {
      var plan = Stage.Plan()
      plan.gateway = { $0.beImpatient() }
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser(over: .tcp))
        try await converse(juliet, romeo)
        let prosody = try #require(stage.prosody)
        prosody.process.signal(SIGSTOP)
        for line in Self.lines {
          let reply = try await romeo.say(line, to: "sip:juliet@partner.test")
          #expect(reply.status == 202 || reply.status == 200)
        }
        await stage.gateway.crash()
        try await stage.gateway.restart()
        prosody.process.signal(SIGCONT)
        try await expectAll(within: .seconds(30)) { try await juliet.hear(within: $0).node }
        try await converse(juliet, romeo, "afterwards")
      }
    }

    /// Hears every line; a repeated one must carry the id it had, and no line may come before an earlier one.
    private func expectAll(within limit: Duration, _ next: (Duration) async throws -> XMLNode) async throws {
      var seen: [String] = []
      var ids: [String: String] = [:]
      while Set(seen).count < Self.lines.count || seen.last != Self.lines.last {
        let node = try await next(limit)
        let text = node.child("body")?.text ?? ""
        seen.append(text)
        let id = node["id"] ?? ""
        #expect(ids[text] == nil || ids[text] == id, "\(text) came again as \(id), was \(ids[text] ?? "")")
        ids[text] = id
      }
      #expect(inOrder(seen), "\(seen)")
    }

    /// First appearances in order.
    private func inOrder(_ seen: [String]) -> Bool {
      var known: Set<String> = []
      return seen.filter { known.insert($0).inserted } == Self.lines
    }
  }
}
