import Lab
import Testing

extension InteropTests {
  /// A destination that never answered is presumed to be a mistake: who writes there is told within seconds, with the
  /// true reason, and nothing waits.
  @Suite(.serialized) struct UnreachableTests {
    static let soon = Duration.seconds(12)

    /// From the platform to partners.
    @Test(.timeLimit(.minutes(2))) func partners() async throws {
      try await withWorkspace { workspace in
        let relays = Relays()
        var plan = Stage.Plan()
        plan.gateway = { configuration in
          configuration.more["xmpp"] = ["negotiation-timeout": "\"3s\""]
          let dns = configuration.dns
          configuration.partners += ["closed", "liar", "mute", "lost", "lame", "reset", "nowhere"].map {
            .init("\($0).test")
          }
          guard let port = try? Loopback.freePort(), let prosody = dns.port(of: "_xmpp-server._tcp.partner.test"),
            let mute = try? TCPRelay(to: prosody), let reset = try? TCPRelay(to: prosody)
          else { return }
          dns.setXMPP("closed.test", port: port)
          // Answers with the certificate of another domain.
          dns.setXMPP("liar.test", port: prosody)
          // Connects, and says nothing.
          dns.setXMPP("mute.test", port: mute.port)
          try? mute.set(.swallowing)
          dns.setXMPP("reset.test", port: reset.port)
          try? reset.set(.refusing)
          relays.all = [mute, reset]
          // A name server that does not answer, and one that cannot.
          for name in ["_xmpp-server._tcp.lost.test", "_xmpps-server._tcp.lost.test", "lost.test"] {
            dns.fail(name, .silence)
          }
          for name in ["_xmpp-server._tcp.lame.test", "_xmpps-server._tcp.lame.test", "lame.test"] {
            dns.fail(name, .servfail)
          }
        }
        let stage = try await Stage(plan, in: workspace)
        do {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, row) in Self.rows.enumerated() {
              group.addTask { try await Self.ask(row, as: "romeo\(index)", on: stage) }
            }
            try await group.waitForAll()
          }
        } catch {
          throw LabError("\(error)", log: stage.logs())
        }
      }
    }

    struct Row: Sendable {
      var what: String
      var domain: String
      var statuses: Set<Int>
    }

    static let rows = [
      Row(what: "refused port", domain: "closed.test", statuses: [408, 504]),
      Row(what: "server of another domain", domain: "liar.test", statuses: [404]),
      Row(what: "server that says nothing", domain: "mute.test", statuses: [408, 504]),
      Row(what: "connections reset", domain: "reset.test", statuses: [408, 504]),
      Row(what: "silent name server", domain: "lost.test", statuses: [408, 504]),
      Row(what: "failing name server", domain: "lame.test", statuses: [408, 504]),
      Row(what: "no such name", domain: "nowhere.test", statuses: [404]),
      Row(what: "domain that is no partner", domain: "unknown.test", statuses: [403, 404]),
    ]

    /// The response says it, or, if the outcome took longer than a response may, a message in the conversation.
    private static func ask(_ row: Row, as name: String, on stage: Stage) async throws {
      let romeo = try await stage.sipUser(name, over: .tcp)
      let start = ContinuousClock.now
      let reply = try await romeo.say("x", to: "sip:somebody@\(row.domain)", within: soon)
      guard reply.status == 202 else {
        print("\(row.what): \(reply.status) \(reply.reason) after \(ContinuousClock.now - start)")
        return #expect(row.statuses.contains(reply.status), "\(row.what): \(reply.status) \(reply.reason)")
      }
      let notice = try await romeo.hear(within: soon)
      print("\(row.what): 202, then after \(ContinuousClock.now - start): \(notice.text)")
      #expect(notice.from == "sip:somebody@\(row.domain)" && notice.text.contains("was not delivered"), "\(row.what)")
    }

    enum Trouble: String, CaseIterable, Sendable { case closed, unresolvable, wrongCertificate, mute }

    /// From a partner to the platform.
    @Test(.timeLimit(.minutes(2)), arguments: Trouble.allCases)
    func platform(_ trouble: Trouble) async throws {
      let relays = Relays()
      var plan = Stage.Plan()
      plan.gateway = { configuration in
        configuration.readiness = "/healthz"
        let dns = configuration.dns
        switch trouble {
        case .closed: configuration.platforms[0].nextHopPort = (try? Loopback.freePort()) ?? 1
        case .unresolvable: configuration.platforms[0].nextHop = "nowhere.corp.test"
        case .wrongCertificate:
          dns.set("other.corp.test", [.a(Loopback.address)])
          configuration.platforms[0].nextHop = "other.corp.test"
        case .mute:
          guard let relay = try? TCPRelay(to: configuration.platforms[0].nextHopPort) else { return }
          try? relay.set(.swallowing)
          relays.all = [relay]
          configuration.platforms[0].nextHopPort = relay.port
        }
      }
      try await withStage(plan) { stage in
        let juliet = try await stage.xmppUser()
        // The first may meet the first attempt; the second the state of things.
        for round in 1...2 {
          let start = ContinuousClock.now
          let error = try await juliet.error(for: juliet.say("x", to: "romeo@corp.test"), within: Self.soon)
          print("\(trouble) \(round): \(error) after \(ContinuousClock.now - start)")
          #expect(error.condition == "remote-server-timeout" && error.type == "wait", "\(error)")
        }
      }
    }

    private final class Relays: @unchecked Sendable {
      var all: [TCPRelay] = []
    }
  }
}
