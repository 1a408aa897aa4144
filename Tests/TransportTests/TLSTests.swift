import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
  let certificates: Certificates

  init() throws { certificates = try Certificates.shared.get() }

  private func server(
    _ names: [String: [String]] = ["server": ["server.test"]], options: TLSOptions = TLSOptions()
  ) throws -> TLSContext {
    let identities = try names.sorted { $0.key > $1.key }.map { try certificates.identity($0, domains: $1) }
    return try .server(identities: identities, trust: certificates.trust, options: options)
  }

  private func client(_ name: String?, options: TLSOptions = TLSOptions()) throws -> TLSContext {
    try .client(identity: name.map { try certificates.identity($0) }, trust: certificates.trust, options: options)
  }

  @Test func mutual() async throws {
    let (server, client) = try await handshake(server: server(), client: client("client"))
    let (there, here) = try await (server.session(), client.session())
    #expect(here.version == "TLSv1.3")
    #expect(here.cipher == "TLS_AES_128_GCM_SHA256")
    #expect(here.peer?.trust == .trusted)
    #expect(here.peer?.matchesXMPP(domain: "server.test") == true)
    #expect(here.peer?.matchesXMPP(domain: "client.test") == false)
    #expect(there.peer?.trust == .trusted)
    #expect(there.peer?.matchesXMPP(domain: "client.test") == true)
    #expect(there.serverName == "server.test")
    #expect(there.alpn == nil)
    try await client.write("ping")
    #expect(try await server.received(4) == Array("ping".utf8))
    try await server.write("pong")
    #expect(try await client.received(4) == Array("pong".utf8))
    try await client.with { $0.close() }
    #expect(try await client.reason() == .local)
    #expect(try await server.reason() == .remote)
    #expect(server.calls == ["secured", "received", "closed"])
  }

  @Test(
    arguments: [
      ("client", nil),
      ("clientonly", nil),
      // Public authorities issue nothing else any more.
      ("server", nil),
      ("fullchain", nil),
      ("expired", "certificate expired on 2025-01-02"),
      ("early", "certificate is valid only from 2098-03-04"),
      ("foreign", "unknown CA (CN=Test-otherca)"),
      ("chained", "unknown CA (CN=Test intermediate)"),
      ("selfsigned", "certificate is self-signed"),
      ("usurpedchain", "issuer's certificate (CN=server): invalid CA certificate"),
      ("outsidechain", "certificate: permitted subtree violation"),
      ("nul", "subjectAltName holds a NUL byte or is not UTF-8"),
    ] as [(String, String?)])
  func trust(_ name: String, _ problem: String?) async throws {
    let expected: PeerCertificate.Trust = problem.map { .untrusted($0) } ?? .trusted
    // As a client …
    let (server, _) = try await handshake(server: server(), client: client(name))
    #expect(try await server.session().peer?.trust == expected)
    // … and as a server.
    let (_, client) = try await handshake(server: self.server([name: []]), client: client(nil))
    #expect(try await client.session().peer?.trust == expected)
  }

  @Test func nothingIsTrustedWithoutAStore() async throws {
    let context = try TLSContext.client(identity: nil, trust: .none, options: TLSOptions())
    let (_, client) = try await handshake(server: server(), client: context)
    #expect(try await client.session().peer?.trust == .untrusted("unknown CA (CN=Test-ca)"))
  }

  @Test func noClientCertificate() async throws {
    let (server, _) = try await handshake(server: server(), client: client(nil))
    #expect(try await server.session().peer == nil)
  }

  @Test func commonNameIsNoName() async throws {
    let (server, _) = try await handshake(server: server(), client: client("cnonly"))
    let peer = try #require(try await server.session().peer)
    #expect(peer.trust == .trusted)
    #expect(peer.subject == "CN=client.test")
    #expect(!peer.matchesXMPP(domain: "client.test"))
    #expect(!peer.matchesSIP(domain: "client.test"))
    #expect(!peer.matchesHost("client.test"))
  }

  @Test func namesOfEveryKind() async throws {
    let (server, _) = try await handshake(server: server(), client: client("names"))
    let peer = try #require(try await server.session().peer)
    #expect(peer.trust == .trusted)
    #expect(peer.xmppAddresses == ["xmpp.test"])
    #expect(peer.srvNames == ["_xmpp-server.srv.test"])
    #expect(peer.dnsNames == ["dns.test"])
    #expect(peer.uris == ["sip:sip.test", "sip:alice@user.test"])
    for domain in ["xmpp.test", "srv.test", "dns.test", "DNS.test"] { #expect(peer.matchesXMPP(domain: domain)) }
    #expect(peer.matchesSIP(domain: "sip.test"))
    for domain in ["user.test", "dns.test", "xmpp.test"] { #expect(!peer.matchesSIP(domain: domain)) }
  }

  @Test(arguments: [
    ("expired", "certificate expired on 2025-01-02", "certificate expired"),
    ("foreign", "unknown CA (CN=Test-otherca)", "unknown CA"),
  ])
  func trustRequired(_ name: String, _ ours: String, _ theirs: String) async throws {
    let strict = TLSOptions(requireTrusted: true)
    let (server, client) = try await handshake(server: server(options: strict), client: client(name))
    #expect(try await server.reason() == .tls(ours))
    #expect(try await client.reason() == .tls("peer sent the alert: \(theirs)"))
    let (_, other) = try await handshake(server: self.server([name: []]), client: self.client(nil, options: strict))
    #expect(try await other.reason() == .tls(ours))
  }

  @Test func certificateRequired() async throws {
    let options = TLSOptions(requireTrusted: true)
    let (server, client) = try await handshake(server: server(options: options), client: client(nil))
    #expect(try await server.reason() == .tls("peer offered no certificate"))
    #expect(try await client.reason() == .tls("peer sent the alert: certificate required"))
  }

  @Test(arguments: [
    ("second.test", "second"), ("SECOND.test", "second"), ("server.test", "server"), ("other.test", "server"),
  ])
  func serverNameChoosesIdentity(_ name: String, _ expected: String) async throws {
    let context = try server(["server": ["server.test"], "second": ["second.test"]])
    let (server, client) = try await handshake(server: context, client: client("client"), serverName: name)
    #expect(try await client.session().peer?.subject == "CN=\(expected)")
    #expect(try await server.session().serverName == name.lowercased())
    #expect(try await server.session().peer?.trust == .trusted)
  }

  @Test func noServerName() async throws {
    let (server, client) = try await handshake(server: server(), client: client(nil), serverName: "127.0.0.1")
    #expect(try await client.session().peer?.subject == "CN=server")
    #expect(try await server.session().serverName == nil)
  }

  @Test(
    arguments: [
      (["xmpp-server"], ["xmpp-server"], "xmpp-server"),
      (["b", "a"], ["a", "b"], "b"),
      (["xmpp-server"], [], nil),
      ([], ["xmpp-server"], nil),
    ] as [([String], [String], String?)])
  func alpn(_ ours: [String], _ theirs: [String], _ chosen: String?) async throws {
    let (server, client) = try await handshake(
      server: server(options: TLSOptions(alpn: ours)), client: client(nil, options: TLSOptions(alpn: theirs)))
    #expect(try await server.session().alpn == chosen)
    #expect(try await client.session().alpn == chosen)
  }

  @Test func alpnWithoutACommonProtocol() async throws {
    let (server, client) = try await handshake(
      server: server(options: TLSOptions(alpn: ["xmpp-server"])),
      client: client(nil, options: TLSOptions(alpn: ["http/1.1"])))
    #expect(try await server.reason() == .tls("peer offers no application protocol (ALPN) of ours"))
    #expect(try await client.reason() == .tls("peer sent the alert: no application protocol"))
  }

  @Test func ticketsOnlyWhereNoCertificateIsAskedFor() async throws {
    // Resumption itself is seen with openssl s_client, see IndependentPeerTests.
    let options = TLSOptions(requestClientCertificate: false)
    let (server, client) = try await handshake(server: server(options: options), client: client("client"))
    #expect(try await server.session().peer == nil)
    #expect(try await client.session().peer?.trust == .trusted)
  }

  @Test func noTLS() async throws {
    let listener = try await Server.start(tls: try server())
    let client = try await dial(listener.endpoint)
    try await client.write("GET / HTTP/1.1\r\n\r\n")
    let server = try await listener.connection()
    #expect(try await server.reason() == .tls("peer does not speak TLS here"))
  }

  /// Pausing holds back plaintext, not the handshake.
  @Test func pausedDuringHandshake() async throws {
    let listener = try await Server.start(tls: try server())
    let context = try client("client")
    let client = try await dial(listener.endpoint, tls: context, serverName: "server.test") { _ in }
    try await client.with { $0.pauseReading() }
    let server = try await listener.connection()
    _ = try await server.session()
    try await server.write("held back")
    _ = try await client.session()
    try await client.with { $0.resumeReading() }
    #expect(try await client.received(9) == Array("held back".utf8))
  }

  @Test func handshakeDeadline() async throws {
    var limits = ConnectionLimits()
    limits.handshakeDeadline = .milliseconds(50)
    let listener = try await Server.start(connectionLimits: limits, tls: try server())
    _ = try await dial(listener.endpoint)
    #expect(try await listener.connection().reason() == .timeout("TLS handshake did not end within 50 ms"))
  }

  @Test func peerGoesDuringHandshake() async throws {
    let listener = try await Server.start(tls: try server())
    let client = try await dial(listener.endpoint)
    try await client.with { $0.close() }
    #expect(
      try await listener.connection().reason() == .reset("peer closed the connection during the TLS handshake"))
  }

  @Test func oversizedClientHelloIsRefused() async throws {
    let listener = try await Server.start(tls: try server())
    let client = try await dial(listener.endpoint)
    // A handshake message that says it is 16 MB long (RFC 8446 §4), in records of 16 KiB.
    let record: [UInt8] = [22, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 16380)
    try await client.with { connection in for _ in 0..<64 { connection.write(record) } }
    guard case .tls = try await listener.connection().reason() else {
      Issue.record("not refused")
      return
    }
  }
}
