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
        let silent = TCPRelayStates()
        var plan = Stage.Plan()
        plan.gateway = { configuration in
          configuration.more["xmpp"] = ["negotiation-timeout": "\"3s\""]
          let dns = configuration.dns
          configuration.partners += ["closed", "liar", "mute", "lost", "lame", "reset"].map { .init("\($0).test") }
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
          silent.relays = [mute, reset]
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
          let romeo = try await stage.sipUser(over: .tcp)
          for (domain, expected, what) in [
            ("closed.test", [408, 504], "refused port"), ("liar.test", [403, 404, 408, 502, 504], "wrong server"),
            ("mute.test", [408, 504], "server that says nothing"), ("reset.test", [408, 504], "connections reset"),
            ("lost.test", [408, 504], "silent name server"), ("lame.test", [408, 504], "failing name server"),
            ("unknown.test", [403, 404], "domain that is no partner"),
          ] {
            let start = ContinuousClock.now
            let reply = try await romeo.say("x", to: "sip:somebody@\(domain)", within: Self.soon)
            print("\(what): \(reply.status) \(reply.reason) after \(ContinuousClock.now - start)")
            if reply.status == 202 {
              // Taken, and taken back: a message in the conversation says so.
              let notice = try await romeo.hear(within: Self.soon)
              print("  then after \(ContinuousClock.now - start): \(notice.text)")
              #expect(notice.from == "sip:somebody@\(domain)" && notice.text.contains("was not delivered"), "\(what)")
            } else {
              #expect(expected.contains(reply.status), "\(what): \(reply.status) \(reply.reason)")
            }
          }
        } catch {
          throw LabError("\(error)", log: stage.logs())
        }
      }
    }

    enum Trouble: String, CaseIterable, Sendable { case closed, unresolvable, wrongCertificate, mute, silentDNS }

    /// From a partner to the platform.
    @Test(.timeLimit(.minutes(2)), arguments: Trouble.allCases)
    func platform(_ trouble: Trouble) async throws {
      let relays = TCPRelayStates()
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
          relays.relays = [relay]
          configuration.platforms[0].nextHopPort = relay.port
        case .silentDNS:
          dns.fail("silent.corp.test", .silence)
          configuration.platforms[0].nextHop = "silent.corp.test"
        }
      }
      try await withStage(plan) { stage in
        let juliet = try await stage.xmppUser()
        let expected: Set =
          trouble == .unresolvable ? ["remote-server-not-found", "remote-server-timeout"] : ["remote-server-timeout"]
        // The first may meet the first attempt; the second the state of things.
        for round in 1...2 {
          let start = ContinuousClock.now
          let error = try await juliet.error(for: juliet.say("x", to: "romeo@corp.test"), within: Self.soon)
          print("\(trouble) \(round): \(error) after \(ContinuousClock.now - start)")
          #expect(expected.contains(error.condition), "\(error)")
        }
      }
    }

    private final class TCPRelayStates: @unchecked Sendable {
      var relays: [TCPRelay] = []
    }
  }
}
