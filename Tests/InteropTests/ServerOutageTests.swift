import Foundation
import Lab
import Testing

extension InteropTests {
  /// As in `OutageTests`, with real servers: while the other side is away messages are kept; afterwards all arrive, in
  /// order. Only what was under way when it went may come twice, and then with the same id.
  @Suite(.serialized) struct ServerOutageTests {
    static let lines = (1...40).map { "line \($0)" }

    /// Waits for the end of the minute, if it is to be one (see `OutageTests.seconds`).
    private func hold(since start: ContinuousClock.Instant) async throws {
      guard OutageTests.isLong else { return }
      try await Task.sleep(until: start + .seconds(OutageTests.seconds))
    }

    enum PartnerOutage: String, CaseIterable, Sendable {
      case stopped, reset, swallowed, crashed
    }

    @Test(.timeLimit(.minutes(4)), arguments: PartnerOutage.allCases)
    func partner(_ outage: PartnerOutage) async throws {
      try await withWorkspace { workspace in
        let relays = Relays()
        var plan = Stage.Plan()
        plan.gateway = { configuration in
          configuration.beImpatient()
          guard let port = configuration.dns.port(of: "_xmpp-server._tcp.partner.test"),
            let relay = try? TCPRelay(to: port)
          else { return }
          relays.partner = relay
          configuration.partners[0].address = "127.0.0.1"
          configuration.partners[0].port = relay.port
        }
        let stage = try await Stage(plan, in: workspace)
        do {
          let relay = try #require(relays.partner)
          let prosody = try #require(stage.prosody)
          var juliet = try await stage.xmppUser()
          let romeo = try await stage.sipUser(over: .tcp)
          try await converse(juliet, romeo)
          let start = ContinuousClock.now
          // Prosody itself is well and its own stream to the gateway too: only the way back is cut.
          let speaks = outage == .reset || outage == .swallowed
          switch outage {
          case .stopped: prosody.process.signal(SIGSTOP)
          case .reset: try relay.set(.refusing)
          case .swallowed: try relay.set(.swallowing)
          case .crashed: await prosody.process.kill()
          }
          for line in Self.lines {
            let reply = try await romeo.say(line, to: "sip:juliet@partner.test")
            #expect(reply.status == 200 || reply.status == 202, "\(line): \(reply.status) \(reply.reason)")
            if speaks { juliet.say("back \(line)", to: "romeo@corp.test") }
          }
          try await hold(since: start)
          let end = ContinuousClock.now
          switch outage {
          case .stopped: prosody.process.signal(SIGCONT)
          case .reset, .swallowed: try relay.set(.passing)
          case .crashed:
            try await prosody.restart()
            juliet = try await stage.xmppUser()
          }
          try await expectAll(within: .seconds(30)) {
            try await juliet.hear(within: $0).node
          }
          print("Prosody \(outage) for \(end - start): all there after \(ContinuousClock.now - end)")
          if speaks {
            for line in Self.lines { #expect(try await romeo.hear().text == "back \(line)") }
          }
          try await converse(juliet, romeo, "afterwards")
        } catch {
          throw LabError("\(error)", log: stage.logs())
        }
      }
    }

    enum PlatformOutage: String, CaseIterable, Sendable { case stopped, crashed }

    @Test(.timeLimit(.minutes(4)), arguments: PlatformOutage.allCases)
    func platform(_ outage: PlatformOutage) async throws {
      try await withWorkspace { workspace in
        let port = try Loopback.freePort()
        var plan = Stage.Plan()
        // Registrations do not outlive Kamailio.
        plan.kamailio = { $0.fixedUsers = ["romeo": port] }
        plan.gateway = { $0.beImpatient() }
        let stage = try await Stage(plan, in: workspace)
        do {
          let juliet = try await stage.xmppUser()
          let romeo = try await stage.sipUser(over: .tcp, fixedPort: port)
          try await converse(juliet, romeo)
          switch outage {
          case .stopped: stage.kamailio.process.signalGroup(SIGSTOP)
          case .crashed: await stage.kamailio.process.kill()
          }
          let start = ContinuousClock.now
          for line in Self.lines { juliet.say(line, to: "romeo@corp.test") }
          // The gateway has noticed; nothing has been answered with an error.
          #expect(try await waitUntil(within: .seconds(20)) { stage.gateway.log.contains("does not answer") })
          try await hold(since: start)
          let end = ContinuousClock.now
          switch outage {
          case .stopped: stage.kamailio.process.signalGroup(SIGCONT)
          case .crashed: try await stage.kamailio.restart()
          }
          var seen: [String] = []
          while seen.last != Self.lines.last {
            seen.append(try await romeo.hear(within: .seconds(60)).text)
          }
          #expect(inOrder(seen), "\(seen)")
          print("Kamailio \(outage) for \(end - start): all there after \(ContinuousClock.now - end)")
          // Romeo's own connection went with the old Kamailio; he can only be called.
          juliet.say("afterwards", to: "romeo@corp.test")
          _ = try await romeo.hear(body: "afterwards")
        } catch {
          throw LabError("\(error)", log: stage.logs())
        }
      }
    }

    /// What waited longer than it may comes back to its sender.
    @Test(.timeLimit(.minutes(2))) func timeToLive() async throws {
      var plan = Stage.Plan()
      plan.gateway = {
        $0.beImpatient()
        $0.more["queue"]?["time-to-live"] = "\"10s\""
      }
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        try await converse(juliet, romeo)
        await stage.kamailio.process.kill()
        let error = try await juliet.error(for: juliet.say("x", to: "romeo@corp.test"), within: .seconds(20))
        #expect(error.condition == "remote-server-timeout", "\(error)")
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

    private final class Relays: @unchecked Sendable {
      var partner: TCPRelay?
    }
  }
}
