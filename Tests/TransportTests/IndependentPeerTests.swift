import Foundation
import Testing

@testable import Transport

/// Against the openssl command: what we speak is TLS for others too.
@Suite(.timeLimit(.minutes(2))) struct IndependentPeerTests {
  let certificates: Certificates

  init() throws { certificates = try Certificates.shared.get() }

  private func serve(_ options: TLSOptions = TLSOptions()) async throws -> Server {
    let context = try TLSContext.server(
      identities: [
        certificates.identity("server", domains: ["server.test"]),
        certificates.identity("second", domains: ["second.test"]),
      ], trust: certificates.trust, options: options)
    return try await Server.start(tls: context) { recorder in
      recorder.onReceived = { connection, bytes in
        connection.write(bytes)
        connection.close()
      }
    }
  }

  private func client(_ port: Int, _ arguments: String, input: String = "hello\n") async throws -> String {
    let line =
      "s_client -connect 127.0.0.1:\(port) -CAfile ca.pem -verify_return_error -ign_eof \(arguments)"
    let directory = certificates.directory
    return try await inBackground {
      try run("openssl", line.split(separator: " ").map(String.init), in: directory, input: input).text
    }
  }

  @Test(arguments: [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")])
  func clients(_ flag: String, _ version: String) async throws {
    let server = try await serve()
    let output = try await client(server.port, "\(flag) -servername second.test -cert client.pem -key client.key")
    #expect(output.contains("Verify return code: 0 (ok)"))
    #expect(output.contains("subject=CN = second"))
    #expect(output.contains("\nhello\n"))
    let session = try await server.connection().session()
    #expect(session.version == version)
    #expect(session.serverName == "second.test")
    #expect(session.peer?.trust == .trusted)
    #expect(session.peer?.subject == "CN=client")
    #expect(try await server.connection().reason() == .local)
  }

  @Test func oldVersionsAreRefused() async throws {
    let server = try await serve()
    #expect(try await client(server.port, "-tls1_1 -cipher ALL:@SECLEVEL=0").contains("alert protocol version"))
    #expect(try await server.connection().reason() == .tls("peer offers no TLS version that is allowed here"))
    let strict = try await serve(TLSOptions(minimumVersion: .v1_3))
    #expect(try await client(strict.port, "-tls1_2").contains("alert protocol version"))
  }

  @Test func weakCiphersAreRefused() async throws {
    let server = try await serve()
    _ = try await client(server.port, "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA")
    #expect(try await server.connection().reason() == .tls("peer offers no cipher suite that is allowed here"))
  }

  @Test func renegotiationIsRefused() async throws {
    let server = try await serve()
    // A line of "R" makes s_client renegotiate, unless it ignores the end of its input.
    let directory = certificates.directory
    let arguments = ["s_client", "-connect", "127.0.0.1:\(server.port)", "-tls1_2"]
    let output = try await inBackground {
      try run("openssl", arguments, in: directory, input: "R\n", closesInput: false).text
    }
    #expect(output.contains("no renegotiation"))
  }

  @Test func alpn() async throws {
    let server = try await serve(TLSOptions(alpn: ["xmpp-server"]))
    #expect(try await client(server.port, "-alpn xmpp-client,xmpp-server").contains("ALPN protocol: xmpp-server"))
    #expect(try await client(server.port, "-alpn h2").contains("alert no application protocol"))
  }

  @Test(arguments: [("-tls1_3", true), ("-tls1_2", true), ("-tls1_3", false), ("-tls1_2", false)])
  func resumptionOnlyWithoutClientCertificates(_ flag: String, _ asked: Bool) async throws {
    let server = try await serve(TLSOptions(requestClientCertificate: asked))
    let file = "session\(flag)-\(asked)"
    let first = try await client(server.port, "\(flag) -sess_out \(file) -cert client.pem -key client.key")
    #expect(first.contains("\nNew, TLSv1."))
    guard FileManager.default.fileExists(atPath: certificates.path(file)), !asked else {
      #expect(asked)
      #expect(!first.contains("New Session Ticket arrived") && !first.contains("TLS session ticket:"))
      return
    }
    let second = try await client(server.port, "\(flag) -sess_in \(file) -cert client.pem -key client.key")
    #expect(second.contains("\nReused, TLSv1."))
  }

  @Test(arguments: ["-tls1_3", "-tls1_2"])
  func server(_ flag: String) async throws {
    let peer = try OpenSSLServer(
      "-cert fullchain.pem -key fullchain.key -cert_chain intermediate.pem -CAfile ca.pem -Verify 3 \(flag)",
      in: certificates.directory)
    defer { peer.stop() }
    let context = try TLSContext.client(
      identity: certificates.identity("client"), trust: certificates.trust, options: TLSOptions())
    let endpoint = Endpoint(host: "peer", address: "127.0.0.1", port: peer.port, tls: true)
    let client = try await dial(endpoint, tls: context, serverName: "client.test")
    #expect(try await client.session().peer?.trust == .trusted)
    peer.write("abc\n")
    #expect(try await client.received(4) == Array("abc\n".utf8))
    try await client.with { $0.close() }
    #expect(try await client.reason() == .local)
  }

  @Test func weakSignaturesAreNotTrusted() async throws {
    let server = try await serve()
    _ = try await client(server.port, "-cert sha1.pem -key sha1.key -cipher ALL:@SECLEVEL=0")
    #expect(
      try await server.connection().session().peer?.trust
        == .untrusted("certificate: CA signature digest algorithm too weak"))
  }

  @Test func weakServerKeysAreNotTrusted() async throws {
    let peer = try OpenSSLServer("-cert weak.pem -key weak.key -cipher ALL:@SECLEVEL=0", in: certificates.directory)
    defer { peer.stop() }
    let context = try TLSContext.client(identity: nil, trust: certificates.trust, options: TLSOptions())
    let endpoint = Endpoint(host: "peer", address: "127.0.0.1", port: peer.port, tls: true)
    let client = try await dial(endpoint, tls: context)
    // Either the handshake fails, or the certificate is not trusted.
    if let session = try? await client.session() {
      guard case .untrusted(let text)? = session.peer?.trust else {
        Issue.record("a key of 1024 bits is trusted")
        return
      }
      #expect(text.contains("key too weak"))
    }
  }
}

/// `openssl s_server` until it is stopped.
final class OpenSSLServer {
  private let process = Process()
  private let input = Pipe()
  let port: Int

  init(_ arguments: String, in directory: String) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["openssl", "s_server", "-accept", "127.0.0.1:0"] + arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    // It says `ACCEPT 127.0.0.1:45678` once it listens.
    var text = ""
    while !text.contains("ACCEPT ") || !text.hasSuffix("\n") {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw CommandFailed(command: arguments, output: text) }
      text += String(decoding: data, as: UTF8.self)
    }
    port = Int(text.split(separator: ":").last?.prefix { $0.isNumber } ?? "") ?? 0
  }

  func write(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }

  func stop() {
    // Children of Swift's worker threads have SIGTERM blocked.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

/// Runs blocking code where it does not hold up other tests.
func inBackground<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}
