import Lab
import Testing

extension InteropTests {
  /// Attacks on the SIP side, from strangers and from a platform gone bad.
  @Suite(.serialized) struct HostilePlatformTests {
    static func request(
      _ more: String = "", from: String = "sip:romeo@corp.test", to: String = "sip:juliet@partner.test"
    ) -> String {
      "MESSAGE \(to) SIP/2.0\r\nVia: SIP/2.0/TLS x.test:5061;branch=z9hG4bK\(UInt32.random(in: 0...UInt32.max))\r\n"
        + "Max-Forwards: 70\r\nFrom: <\(from)>;tag=1\r\nTo: <\(to)>\r\nCall-ID: \(UInt32.random(in: 0...UInt32.max))\r\n"
        + "CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n\(more)"
    }

    static let whole = request("Content-Length: 6\r\n\r\nforged")

    /// Nobody without the platform's certificate is served, heard or kept.
    @Test(.timeLimit(.minutes(1))) func strangers() async throws {
      try await withHostileStage { stage in
        for (name, context) in [("no certificate", stage.nobody), ("a partner's certificate", stage.partner)] {
          let peer = try await stage.sipAttacker(context)
          peer.send(Self.whole)
          let said = try await peer.ending()
          #expect(said.hasPrefix("SIP/2.0 403 "), "\(name): \(said)")
          // What cannot be answered is not waited for either, nor kept.
          for words in [
            "garbage without a line end " + String(repeating: "x", count: 8000),
            Self.request("X: " + String(repeating: "y", count: 100_000)), "\r\nwhat\r\n\r\n",
            Self.request("Content-Length: 200000\r\n\r\n"),
          ] {
            let peer = try await stage.sipAttacker(context)
            peer.send(words)
            _ = try await peer.ending(within: .seconds(5))
          }
        }
        let clear = try await HostileConnection.open(
          stage.gateway.configuration.platforms[0].listenPort, on: stage.loop)
        clear.send(Self.whole)
        let said = try await clear.ending()
        #expect(!said.contains("SIP/2.0"))
        #expect(!stage.partnerHeard.contains("forged"))
      }
    }

    /// What cannot be framed ends the connection, with an answer where there is somebody to answer.
    @Test(.timeLimit(.minutes(1))) func unreadable() async throws {
      let rows: [(name: String, words: String, status: Int?)] = [
        ("garbage", String(repeating: "x", count: 5000), nil),
        ("a header without end", Self.request("X: " + String(repeating: "y", count: 40_000)), nil),
        ("headers without end", Self.request((0..<6000).map { "X: \($0)\r\n" }.joined()), nil),
        ("a line that is none", "\u{1}\u{2}\u{3}\r\n\r\n", nil),
        ("10 GB announced", Self.request("Content-Length: 10000000000\r\n\r\n"), 413),
        ("more than a number holds announced", Self.request("Content-Length: 99999999999999999999999\r\n\r\n"), 400),
        ("a negative length", Self.request("Content-Length: -1\r\n\r\n"), 400),
        ("two lengths", Self.request("Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), 400),
        ("no length", Self.request("\r\n"), 400),
      ]
      try await withHostileStage { stage in
        for row in rows {
          let peer = try await stage.sipAttacker(stage.platform)
          peer.send(row.words)
          let said = try await peer.ending()
          if let status = row.status {
            #expect(said.hasPrefix("SIP/2.0 \(status) "), "\(row.name): \(said)")
          }
          try await stage.converse()
        }
      }
    }

    /// What can be framed is refused, and the connection goes on; nobody else's name is carried.
    @Test(.timeLimit(.minutes(1))) func refused() async throws {
      let end = "Content-Length: 6\r\n\r\nforged"
      let rows: [(name: String, words: String, statuses: [Int])] = [
        ("from a partner's user", Self.request(end, from: "sip:juliet@partner.test"), [403]),
        ("from a stranger", Self.request(end, from: "sip:x@stranger.test"), [403]),
        ("from below our domain", Self.request(end, from: "sip:romeo@sub.corp.test"), [403]),
        ("from a domain without user", Self.request(end, from: "sip:corp.test"), [403]),
        ("from no SIP address", Self.request(end, from: "tel:+123"), [403]),
        ("to a stranger", Self.request(end, to: "sip:x@stranger.test"), [403, 404]),
        ("to ourselves", Self.request(end, to: "sip:romeo@corp.test"), [403, 404, 482]),
        ("to a SIPS address", Self.request(end, to: "sips:juliet@partner.test"), [480]),
        ("to no SIP address", Self.request(end, to: "http://partner.test/"), [416]),
        ("no hops left", Self.request(end).replacing("Max-Forwards: 70", with: "Max-Forwards: 0"), [483]),
        ("an extension required", Self.request("Require: x\r\n" + end), [420]),
        ("another CSeq method", Self.request(end).replacing("1 MESSAGE", with: "1 INVITE"), [400]),
        ("an unknown method", Self.request(end).replacing("MESSAGE", with: "EXPLODE"), [501]),
        ("another version", Self.request(end).replacing("SIP/2.0\r\nVia", with: "SIP/9.0\r\nVia"), [505, 400]),
        ("no Call-ID", Self.request(end).replacing("Call-ID", with: "X-Call-ID"), [400]),
        ("a body of another kind", Self.request(end).replacing("text/plain", with: "application/octet-stream"), [415]),
      ]
      try await withHostileStage { stage in
        let peer = try await stage.sipAttacker(stage.platform)
        for row in rows {
          peer.send(row.words)
          do {
            let said = try await peer.hear("\r\n\r\n")
            let status = said.dropFirst(8).prefix(3)
            #expect(row.statuses.contains(Int(status) ?? 0), "\(row.name): \(said)")
          } catch {
            Issue.record("\(row.name): \(error)")
            return
          }
        }
        #expect(peer.end == nil)
        // Answers to nothing, acknowledgements of nothing, signs of life: no reply but to the last.
        let stray = ["SIP/2.0 200 OK", "SIP/2.0 500 No"].map {
          Self.request("Content-Length: 0\r\n\r\n").replacing("MESSAGE sip:juliet@partner.test SIP/2.0", with: $0)
        }
        let ack = Self.request("Content-Length: 0\r\n\r\n").replacing("MESSAGE", with: "ACK")
        for _ in 0..<500 { peer.send(stray[0] + stray[1] + ack) }
        peer.send("\r\n\r\n")
        try await peer.hear("\r\n")
        #expect(peer.heard.isEmpty)
        for _ in 0..<20_000 { peer.send("\r\n\r\n") }
        try await stage.converse()
        // Who makes no sense again and again is left.
        let mad = try await stage.sipAttacker(stage.platform)
        for _ in 0..<100 { mad.send("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n") }
        _ = try await mad.ending()
        #expect(!stage.partnerHeard.contains("forged"))
      }
    }
  }
}
