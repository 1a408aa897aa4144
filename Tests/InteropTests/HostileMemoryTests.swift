import Foundation
import Lab
import Testing

extension InteropTests {
  /// What connections cost that have proved nothing, when each makes the gateway keep as much as it can.
  @Suite(.serialized) struct HostileMemoryTests {
    static let connections = 1000
    /// The bound, for each of them.
    static let kilobytes = 64.0

    enum Load: String, CaseIterable, Sendable {
      case xmlInTheClear, xmlUnderTLS, halfAHandshake
    }

    /// The longest header, and a stanza just within every limit (`XMLLimits.beforeAuthentication`), without its end.
    static let nastiest: String = {
      let namespaces = (0..<7).map { " xmlns:n\($0)='urn:x:\($0)\(String(repeating: "u", count: 90))'" }.joined()
      let header = HostileStage.header(more: namespaces + " x='\(String(repeating: "y", count: 1000))'")
      var stanza = "<message xmlns:q='urn:q' from='a@b' to='c@d'>"
      for index in 0..<9 { stanza += "<e\(index) a\(index)='v' b\(index)='w'>text of \(index) here</e\(index)>" }
      stanza += "<body>" + String(repeating: "x", count: 3_000 - stanza.utf8.count - 2_000)
      return header + stanza + "<last z='" + String(repeating: "z", count: 1_980)
    }()

    @Test(.timeLimit(.minutes(2)), arguments: Load.allCases) func perConnection(load: Load) async throws {
      try raiseDescriptorLimit()
      try await withHostileStage { configuration in
        configuration.more["xmpp", default: [:]]["connections"] = "3000"
        configuration.more["xmpp", default: [:]]["connections-per-address"] = "3000"
        configuration.more["xmpp", default: [:]]["negotiation-timeout"] = "\"2m\""
        configuration.logLevel = "warning"
      } _: { stage in
        // What the first few cost once is not theirs.
        let warm = try await Self.open(load, 20, on: stage)
        let resident = { ProcessUsage.of(stage.gateway.process.pid).residentMegabytes * 1e6 / 1024 }
        let before = resident()
        let peers = try await Self.open(load, Self.connections, on: stage)
        for _ in 0..<3 { try await stage.converse() }
        let full = resident()
        #expect(peers.allSatisfy { $0.end == nil })
        let each = (full - before) / Double(peers.count)

        let descriptors = {
          try FileManager.default.contentsOfDirectory(atPath: "/proc/\(stage.gateway.process.pid)/fd").count
        }
        for peer in peers + warm { peer.hangUp() }
        #expect(try await waitUntil(within: .seconds(20)) { try descriptors() < 100 })
        try await stage.converse()
        let after = resident()
        print(
          "memory, \(load): \(peers.count) connections, \(Int(before)) -> \(Int(full)) kB,",
          "\((each * 10).rounded() / 10) kB each; after they left \(Int(after)) kB")
        #expect(each <= Self.kilobytes)
      }
    }

    /// A few lines of attackers, so that handshakes run side by side. The listener takes so many a second; who is
    /// refused tries again.
    private static func open(_ load: Load, _ count: Int, on stage: HostileStage) async throws -> [HostileConnection] {
      let lines = 10
      return try await withThrowingTaskGroup(of: [HostileConnection].self) { group in
        for _ in 0..<lines {
          group.addTask {
            var peers: [HostileConnection] = []
            let deadline = ContinuousClock.now + .seconds(60)
            while peers.count < count / lines {
              do {
                peers.append(try await Self.open(load, on: stage))
              } catch  where ContinuousClock.now < deadline {}
            }
            return peers
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
    }

    private static func open(_ load: Load, on stage: HostileStage) async throws -> HostileConnection {
      let peer = try await stage.attacker(load == .xmlUnderTLS ? .secured : .clear)
      peer.send(load == .halfAHandshake ? HostileStage.header() : nastiest)
      try await peer.hear("</stream:features>")
      if load == .halfAHandshake {
        peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        try await peer.hear("<proceed")
        // A record of 12,288 bytes, but for its last one; the message in it is announced to be longer still.
        peer.send([0x16, 3, 1, 0x30, 0, 1, 0, 0x40, 0] + [UInt8](repeating: 0, count: 12_279))
      }
      return peer
    }
  }
}
