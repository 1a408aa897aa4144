import Foundation
import Lab
import Testing

extension InteropTests {
  /// Too much, too slow, too often.
  @Suite(.serialized) struct HostileFloodTests {
    /// 100 MB without a `>`, as fast as it is taken: the limit counts, not the patience of the sender.
    @Test(.timeLimit(.minutes(1)), arguments: HostileStage.Position.allCases)
    func tagWithoutEnd(position: HostileStage.Position) async throws {
      try await withHostileStage { stage in
        let before = ProcessUsage.of(stage.gateway.process.pid)
        for opening in ["<message to='", "<message><body>"] {
          let peer = try await stage.attacker(position)
          if position != .authenticated {
            peer.send(HostileStage.header())
            try await peer.hear("</stream:features>")
          }
          let started = ContinuousClock.now
          peer.send(opening)
          peer.pour([UInt8](repeating: UInt8(ascii: "x"), count: 65_536), total: 100_000_000)
          try await peer.hear("<policy-violation")
          let told = ContinuousClock.now - started
          try await peer.ending()
          let taken = 100_000_000 - (try await peer.unpoured())
          #expect(taken < 20_000_000, "\(position): \(taken) bytes were taken")
          print("\(position), \(opening): told after \(told), \(taken / 1000) kB taken")
        }
        let after = ProcessUsage.of(stage.gateway.process.pid)
        #expect(after.residentMegabytes - before.residentMegabytes < 20)
      }
    }

    /// Half of something and silence, at every step, on every port: each ends at its deadline. The gateway's own, fixed
    /// ones take up to 30 s; all wait at the same time.
    @Test(.timeLimit(.minutes(2))) func silence() async throws {
      let silentServer = try Loopback.freePort()
      try await withHostileStage { configuration in
        configuration.more["xmpp", default: [:]]["negotiation-timeout"] = "\"2s\""
        var partner = GatewayConfiguration.Partner("silent.test")
        (partner.address, partner.port) = (Loopback.address, silentServer)
        configuration.partners.append(partner)
      } _: { stage in
        var waiting: [(name: String, peer: HostileConnection, condition: String?)] = []
        for position in HostilePeerTests.strangers {
          for words in [
            "", "<", "<?xml version='1.0'?><stream:stream ", HostileStage.header(), HostileStage.header() + "<message",
            HostileStage.header() + "<message><body>half",
          ] {
            let peer = try await stage.attacker(position)
            peer.send(words)
            waiting.append(("\(position): \(words.suffix(30))", peer, "connection-timeout"))
          }
        }
        // Between the steps.
        let proceeded = try await stage.attacker(.clear)
        proceeded.send(HostileStage.header())
        try await proceeded.hear("</stream:features>")
        proceeded.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        try await proceeded.hear("<proceed")
        waiting.append(("after <proceed/>", proceeded, nil))
        proceeded.send([0x16, 3, 1, 0x3F, 0xFF, 1])
        // The SIP side, and TLS that is never spoken.
        let sipPort = stage.gateway.configuration.platforms[0].listenPort
        for (name, port) in [("SIP", sipPort), ("direct TLS", stage.gateway.configuration.directTLSPort)] {
          waiting.append(("\(name), no TLS", try await HostileConnection.open(port, on: stage.loop), nil))
        }
        let stranger = try await stage.sipAttacker(stage.nobody)
        waiting.append(("SIP, not trusted", stranger, nil))
        let half = try await stage.sipAttacker(stage.platform)
        half.send(HostilePlatformTests.request("Content-Length: 100\r\n\r\nhalf a body"))
        waiting.append(("SIP, half a message", half, nil))
        // Who says a little all the time does not last longer.
        let drips = try await stage.attacker(.clear)
        waiting.append(("one byte at a time", drips, "connection-timeout"))
        let dripping = Task {
          for byte in HostileStage.header(more: String(repeating: " ", count: 4000)).utf8 where drips.end == nil {
            drips.send([byte])
            try await Task.sleep(for: .milliseconds(50))
          }
        }
        // A server that we dial and that does not answer.
        let server = try await HostileServer(port: silentServer, on: stage.loop)
        stage.submit(to: "x@silent.test", id: "silent", "secret")
        waiting.append(("dialled", try await server.accepted(), "connection-timeout"))

        try await stage.converse()
        for (name, peer, condition) in waiting {
          let said = try await peer.ending(within: .seconds(45))
          #expect(HostileConnection.streamError(in: said) == condition, "\(name): \(said)")
        }
        _ = await dripping.result
      }
    }

    /// More connections than one address may have, faster than they are taken: the rest is refused, and what exists
    /// lives on.
    @Test(.timeLimit(.minutes(1))) func manyConnections() async throws {
      try await withHostileStage { configuration in
        configuration.more["xmpp", default: [:]]["connections-per-address"] = "30"
      } _: { stage in
        var peers: [HostileConnection] = []
        for _ in 0..<200 {
          // Who is refused may learn of it while still connecting.
          if let peer = try? await stage.attacker(.clear) { peers.append(peer) }
        }
        let open = { peers.count { $0.end == nil } }
        _ = try await waitUntil(within: .seconds(10)) { open() < 30 }
        // One is the honest partner's.
        #expect(open() == 29)
        for peer in peers where peer.end == nil { peer.send(HostileStage.header()) }
        for peer in peers where peer.end == nil { try await peer.hear("</stream:features>") }
        try await stage.converse()
        for peer in peers { peer.hangUp() }
        // And there is room again.
        let late = try await stage.attacker(.secured)
        late.hangUp()
      }
    }

    /// Connects and goes, at every step of the negotiation: nothing stays behind.
    @Test(.timeLimit(.minutes(1))) func comeAndGo() async throws {
      try await withHostileStage { stage in
        let descriptors = {
          try FileManager.default.contentsOfDirectory(atPath: "/proc/\(stage.gateway.process.pid)/fd").count
        }
        let before = try descriptors()
        for _ in 0..<60 {
          for position in HostilePeerTests.strangers {
            let peer = try await stage.attacker(position)
            peer.send(HostileStage.header() + "<message>")
            peer.hangUp()
          }
        }
        let isBack = try await waitUntil(within: .seconds(10)) { try descriptors() <= before }
        #expect(isBack, "more than \(before) descriptors")
      }
    }

    /// A partner that asks for more answers than it reads, and one that asks as fast as it can.
    @Test(.timeLimit(.minutes(1))) func questionsWithoutEnd() async throws {
      try await withHostileStage { stage in
        let before = ProcessUsage.of(stage.gateway.process.pid)
        let ping = "<iq type='get' id='p' from='juliet@partner.test' to='corp.test'><ping xmlns='urn:xmpp:ping'/></iq>"
        for (words, count) in [("<r xmlns='urn:xmpp:sm:3'/>", 200_000), (ping, 20_000), (" ", 2_000_000)] {
          let peer = try await stage.attacker(.authenticated)
          peer.send("<enable xmlns='urn:xmpp:sm:3'/>")
          try await peer.hear("<enabled")
          peer.stopReading()
          let portion = Array(String(repeating: words, count: 1000).utf8)
          peer.pour(portion, total: portion.count * count / 1000)
          for _ in 0..<10 { try await stage.converse() }
          peer.hangUp()
        }
        let after = ProcessUsage.of(stage.gateway.process.pid)
        #expect(after.residentMegabytes - before.residentMegabytes < 40)
        print("questions without end: RSS \(before.residentMegabytes) -> \(after.residentMegabytes) MB")
      }
    }
  }
}
