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
  }
}
