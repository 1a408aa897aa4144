import Lab
import Testing

extension InteropTests {
  /// TLS as others speak it: the `openssl` program against the gateway's ports.
  @Suite(.serialized) struct HostileTLSTests {
    private func client(
      _ stage: HostileStage, _ workspace: Workspace, _ port: Int, _ arguments: [String]
    ) throws -> ChildProcess {
      try workspace.start(
        name: "s_client", executable: Tool.find("openssl", package: "openssl").path,
        arguments: ["s_client", "-connect", "127.0.0.1:\(port)", "-servername", "corp.test"] + arguments,
        output: workspace.path("s_client-\(port)-\(arguments.joined()).log".replacing("/", with: "")), wantsInput: true)
    }

    @Test(.timeLimit(.minutes(1))) func oldVersions() async throws {
      try await withWorkspace { workspace in
        try await withHostileStage { stage in
          let configuration = stage.gateway.configuration
          for port in [configuration.directTLSPort, configuration.platforms[0].listenPort] {
            for version in ["-tls1", "-tls1_1"] {
              let client = try client(stage, workspace, port, [version, "-cipher", "ALL:@SECLEVEL=0"])
              _ = try await client.waitForExit(within: .seconds(15))
              #expect(client.log.text.contains("alert protocol version"), "\(client.log.text)")
            }
            // RFC 9325 §4.1, §4.2.1: neither without encryption nor without forward secrecy, nor the anonymous ones.
            for ciphers in ["eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0", "kRSA:@SECLEVEL=0"] {
              let client = try client(stage, workspace, port, ["-tls1_2", "-cipher", ciphers])
              _ = try await client.waitForExit(within: .seconds(15))
              #expect(client.log.text.contains("alert handshake failure"), "\(ciphers): \(client.log.text)")
            }
            let client = try client(stage, workspace, port, ["-tls1_2"])
            #expect(try await waitUntil(within: .seconds(15)) { client.log.text.contains("Verify return code") })
            client.type("R")
            _ = try await client.waitForExit(within: .seconds(15))
            #expect(client.log.text.contains("no renegotiation"), "\(client.log.text.suffix(600))")
          }
        }
      }
    }

    /// RFC 7301 §3.2: who wants to speak another protocol has come to the wrong place (ALPACA).
    @Test(.timeLimit(.minutes(1))) func anotherProtocol() async throws {
      try await withWorkspace { workspace in
        try await withHostileStage { stage in
          let port = stage.gateway.configuration.directTLSPort
          let client = try client(stage, workspace, port, ["-alpn", "http/1.1"])
          _ = try await client.waitForExit(within: .seconds(15))
          #expect(client.log.text.contains("alert no application protocol"), "\(client.log.text)")
        }
      }
    }

    /// OpenSSL would collect a first message of 128 KiB.
    @Test(.timeLimit(.minutes(1))) func endlessHandshake() async throws {
      try await withHostileStage { stage in
        let record: [UInt8] = [0x16, 3, 1, 0x20, 0]
        for port in [stage.gateway.configuration.directTLSPort, stage.gateway.configuration.platforms[0].listenPort] {
          let peer = try await HostileConnection.open(port, on: stage.loop)
          peer.send(record + [1, 2, 0, 0, 3, 3] + [UInt8](repeating: 0, count: 8186))
          for _ in 0..<14 { peer.send(record + [UInt8](repeating: 0, count: 8192)) }
          try await peer.ending(within: .seconds(5))
        }
      }
    }

    /// A certificate of a few kB can hold thousands of names, each of which costs a hundred bytes as long as the
    /// connection lives.
    @Test(.timeLimit(.minutes(1))) func certificateOfManyNames() async throws {
      try await withHostileStage { stage in
        for (count, isTaken) in [(100, true), (300, false)] {
          var request = CertificateRequest(commonName: "many\(count).test")
          request.dnsNames = (0..<count).map { "n\($0)" }
          let peer = try await stage.secured(with: stage.client(try await stage.authority.selfSigned(request)))
          peer.send(HostileStage.header())
          if isTaken {
            try await peer.hear("</stream:features>")
            peer.hangUp()
          } else {
            // TLS 1.3: the client is done before the server has looked at its certificate.
            try await peer.ending()
            #expect(peer.end?.contains("alert") == true, "\(peer.end ?? "")")
          }
        }
      }
    }
  }
}
