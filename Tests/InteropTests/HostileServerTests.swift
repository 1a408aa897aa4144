import Lab
import Testing
import Transport

extension InteropTests {
  /// Attacks on streams that the gateway opened: it is lured to a server that is none.
  @Suite(.serialized) struct HostileServerTests {
    static let startTLS =
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
    static let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    static let external =
      "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
      + "</mechanisms></stream:features>"

    static func header(_ domain: String) -> String {
      HostileStage.header(from: domain, more: " id='evil'")
    }

    /// What the server says to the gateway's stream header.
    static let words: [HostileWords] = [
      .init("bytes", [1, 2, 3], "not-well-formed"),
      .init("HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "not-well-formed"),
      .init("a DTD", HostilePeerTests.entityBomb, "restricted-xml"),
      .init("a client's stream", header("%").replacing("jabber:server", with: "jabber:client"), "invalid-namespace"),
      .init("another name", header("stranger.test") + startTLS, "invalid-from"),
      .init("no TLS", header("%") + "<stream:features/>", "policy-violation"),
      .init(
        "no TLS but dialback",
        header("%") + "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>",
        "policy-violation"),
      .init(
        "features without end", header("%") + "<stream:features>" + String(repeating: "<a/>", count: 200),
        "policy-violation"),
      .init("a tag without end", header("%") + "<a b='" + String(repeating: "x", count: 200_000), "policy-violation"),
      .init("a processing instruction", header("%") + "<?x?>", "restricted-xml"),
      .init("a stream in the stream", header("%") + header("%").dropFirst(21), "bad-format"),
      .init(
        "an error",
        header("%")
          + "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1</see-other-host></stream:error>",
        ""),
      .init("a refusal of TLS", header("%") + startTLS + "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", ""),
      // Whoever says this is not whom TLS will show.
      .init("words behind <proceed/>", header("%") + startTLS + proceed + external, ""),
      .init(
        "words behind <proceed/>",
        header("%") + startTLS + proceed + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", ""),
    ]

    @Test(.timeLimit(.minutes(1))) func strangeAnswers() async throws {
      let ports = try Self.words.map { _ in try Loopback.freePort() }
      try await withHostileStage { configuration in
        for (index, port) in ports.enumerated() {
          var partner = GatewayConfiguration.Partner("evil\(index).test")
          (partner.address, partner.port) = (Loopback.address, port)
          configuration.partners.append(partner)
        }
      } _: { stage in
        for (index, words) in Self.words.enumerated() {
          let domain = "evil\(index).test"
          let server = try await HostileServer(port: ports[index], on: stage.loop)
          stage.submit(to: "x@\(domain)", id: "secret\(index)", "secret")
          let peer = try await server.accepted()
          try await peer.hear("version='1.0'>")
          peer.send(
            words.bytes.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).joined(
              separator: Array(domain.utf8)
            ).map { $0 })
          try await expectCutOff(peer, words.condition.isEmpty ? nil : words.condition, words.name)
          #expect(!peer.heard.contains("secret"))
          server.stop()
        }
      }
    }

    /// Certificates that do not prove the partner's name get to hear nothing at all, and with a good one a server is still
    /// bound to the rules.
    @Test(.timeLimit(.minutes(1))) func behindTLS() async throws {
      let ports = try (0..<4).map { _ in try Loopback.freePort() }
      try await withHostileStage { configuration in
        for (index, port) in ports.enumerated() {
          var partner = GatewayConfiguration.Partner("evil\(index).test")
          (partner.address, partner.port) = (Loopback.address, port)
          configuration.partners.append(partner)
        }
      } _: { stage in
        let trust = TrustStore.file(stage.authority.root)
        func server(_ certificate: Certificate) throws -> TLSContext {
          let identity = try TLSIdentity(
            certificateFile: certificate.certificate, keyFile: certificate.key, domains: [])
          return try TLSContext.server(identities: [identity], trust: trust, options: TLSOptions())
        }
        let wrong = try server(stage.authority.files(LoadStage.partnerDomain))
        let own = try server(try await stage.authority.selfSigned(.xmpp("evil1.test")))
        for (index, context) in [wrong, own].enumerated() {
          let peer = try await lure(stage, index, ports[index], context)
          try await expectCutOff(peer, nil, "certificate \(index)")
          #expect(!peer.heard.contains("<"), "\(peer.heard)")
        }

        // Says it has authenticated us before we asked; then sends a flood without end.
        let early = try await lure(stage, 2, ports[2], try server(try await stage.authority.issue(.xmpp("evil2.test"))))
        try await early.hear("version='1.0'>")
        early.send(Self.header("evil2.test") + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        early.pour([UInt8](repeating: UInt8(ascii: "<"), count: 65_536), total: 100_000_000)
        try await expectCutOff(early, "not-well-formed", "success unasked")

        // Does everything right, then speaks where it has no voice, and acknowledges what was never sent.
        let voice = try await lure(stage, 3, ports[3], try server(try await stage.authority.issue(.xmpp("evil3.test"))))
        try await voice.hear("version='1.0'>")
        voice.send(Self.header("evil3.test") + Self.external)
        try await voice.hear("</auth>")
        voice.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        try await voice.hear("version='1.0'>")
        voice.send(
          Self.header("evil3.test") + "<stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>")
        try await voice.hear("<enable")
        voice.send("<enabled xmlns='urn:xmpp:sm:3'/>")
        try await voice.hear("secret")
        for from in ["a@evil3.test", "juliet@partner.test", "romeo@corp.test"] {
          voice.send("<message from='\(from)' to='romeo@corp.test' type='chat'><body>forged</body></message>")
        }
        voice.send("<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='4000000000'/>")
        try await expectCutOff(voice, "undefined-condition", "acknowledgements ahead")
        #expect(!stage.platformHeard.contains("forged"))
      }
    }

    /// Has the gateway dial the server for `evil<index>.test` and secures the connection as that asks.
    private func lure(
      _ stage: HostileStage, _ index: Int, _ port: Int, _ context: TLSContext
    ) async throws -> HostileConnection {
      let server = try await HostileServer(port: port, on: stage.loop)
      stage.submit(to: "x@evil\(index).test", id: "secret\(index)", "secret")
      let peer = try await server.accepted()
      try await peer.hear("version='1.0'>")
      peer.send(Self.header("evil\(index).test") + Self.startTLS)
      try await peer.hear("<starttls")
      try await peer.hear("/>")
      peer.send(Self.proceed)
      try await peer.startTLS(context)
      return peer
    }
  }
}
