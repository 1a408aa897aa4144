import Lab
import Testing

extension InteropTests {
  /// A partner that proved its domain and then goes bad, and tricks between the steps of the negotiation.
  @Suite(.serialized) struct HostilePartnerTests {
    static func message(from: String?, to: String? = "romeo@corp.test", _ more: String = "") -> String {
      let (from, to) = (from.map { " from='\($0)'" } ?? "", to.map { " to='\($0)'" } ?? "")
      return "<message\(from)\(to) type='chat' id='bad'\(more)><body>forged</body></message>"
    }

    static let words: [HostileWords] = [
      // RFC 6120 §8.1.2.2
      .init("from another partner", message(from: "juliet@lax.test"), "invalid-from"),
      .init("from a stranger", message(from: "juliet@stranger.test"), "invalid-from"),
      .init("from below its domain", message(from: "juliet@sub.partner.test"), "invalid-from"),
      .init("from above its domain", message(from: "juliet@test"), "invalid-from"),
      .init("from one of ours", message(from: "romeo@corp.test"), "invalid-from"),
      .init("from a look-alike", message(from: "juliet@pаrtner.test"), "invalid-from"),
      .init("without from", message(from: nil), "improper-addressing"),
      .init("with an empty from", message(from: ""), "improper-addressing"),
      .init("without to", message(from: "juliet@partner.test", to: nil), "improper-addressing"),
      .init("to nobody here", message(from: "juliet@partner.test", to: "a@example.org"), "host-unknown"),
      .init("back to itself", message(from: "juliet@partner.test", to: "a@partner.test"), "host-unknown"),
      .init(
        "a client's message", message(from: "juliet@partner.test", " xmlns='jabber:client'"), "unsupported-stanza-type"),
      .init("an unknown stanza", "<hello from='juliet@partner.test' to='corp.test'/>", "unsupported-stanza-type"),
      .init(
        "a second authentication", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
        "policy-violation"),
      .init("STARTTLS again", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "policy-violation"),
      .init(
        "stream management twice", "<enable xmlns='urn:xmpp:sm:3'/><enable xmlns='urn:xmpp:sm:3'/>", "policy-violation"),
      .init(
        "an acknowledgement of nothing", "<enable xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='7'/>",
        "undefined-condition"),
    ]

    @Test(.timeLimit(.minutes(1))) func forgery() async throws {
      try await withHostileStage { stage in
        for words in Self.words {
          let peer = try await stage.attacker(.authenticated)
          peer.send(words.bytes)
          try await expectCutOff(peer, words.condition, words.name)
          try await stage.converse()
        }
        #expect(!stage.platformHeard.contains("forged"))
      }
    }

    /// CVE-2018-10847 and its kin: what the first header said holds for the others.
    @Test(.timeLimit(.minutes(1))) func changedHeaders() async throws {
      try await withHostileStage { stage in
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
        for (from, to, condition) in [
          ("partner.test", "corp.test", "invalid-from"), ("lax.test", "example.org", "host-unknown"),
          ("corp.test", "corp.test", "invalid-from"),
        ] {
          let peer = try await stage.secured(with: stage.partner)
          peer.send(HostileStage.header(from: from, to: to))
          try await expectCutOff(peer, condition, "after TLS: \(from), \(to)")
        }
        for (from, to, condition) in [
          ("lax.test", "corp.test", "invalid-from"), ("partner.test", "example.org", "host-unknown"),
        ] {
          let peer = try await stage.secured(with: stage.partner, as: "partner.test")
          peer.send(HostileStage.header(from: "partner.test"))
          try await peer.hear("</stream:features>")
          peer.send(auth)
          try await peer.hear("<success")
          peer.send(HostileStage.header(from: from, to: to))
          try await expectCutOff(peer, condition, "after SASL: \(from), \(to)")
        }
        // A certificate is good for its own domain only.
        let peer = try await stage.secured(with: stage.platform, as: "partner.test")
        peer.send(HostileStage.header(from: "partner.test"))
        try await expectCutOff(peer, "not-authorized", "another's certificate")
        // EXTERNAL in the name of somebody else.
        let other = try await stage.secured(with: stage.partner, as: "partner.test")
        other.send(HostileStage.header(from: "partner.test"))
        try await other.hear("</stream:features>")
        other.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>bGF4LnRlc3Q=</auth>")
        try await other.hear("<invalid-authzid")
        other.hangUp()
      }
    }

    /// CVE-2011-0411: what stands behind `<starttls/>` in the clear was not said by whom TLS will show.
    @Test(.timeLimit(.minutes(1))) func injectionBeforeTLS() async throws {
      try await withHostileStage { stage in
        let startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        for injected in [
          Self.message(from: "juliet@partner.test"), HostileStage.header(from: "partner.test"), "</stream:stream>",
          "garbage", "<!DOCTYPE x>",
        ] {
          let peer = try await stage.attacker(.clear)
          peer.send(HostileStage.header(from: "partner.test"))
          try await peer.hear("</stream:features>")
          peer.send(startTLS + injected)
          try await expectCutOff(peer, nil, "behind <starttls/>: \(injected.prefix(30))")
        }
        // Nor may the handshake be asked for where it makes no sense.
        for position in [HostileStage.Position.secured, .direct] {
          let peer = try await stage.attacker(position)
          peer.send(HostileStage.header())
          try await peer.hear("</stream:features>")
          peer.send(startTLS)
          try await expectCutOff(peer, "policy-violation", "STARTTLS, \(position)")
        }
        #expect(!stage.platformHeard.contains("forged"))
      }
    }

    /// CVE-2012-3525, CVE-2014-2741: answers to questions that nobody asked, and compression. Nothing is granted, and the
    /// stream may go on.
    @Test(.timeLimit(.minutes(1))) func notGranted() async throws {
      try await withHostileStage { stage in
        for position in HostilePeerTests.strangers {
          let peer = try await stage.attacker(position)
          peer.send(HostileStage.header())
          try await peer.hear("</stream:features>")
          for kind in ["result", "verify"] {
            for pair in [
              "from='lax.test' to='corp.test'", "from='corp.test' to='lax.test'", "from='partner.test' to='corp.test'",
            ] {
              peer.send("<\(kind) xmlns='jabber:server:dialback' id='1' type='valid' \(pair)/>")
            }
          }
          peer.send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>")
          try await peer.hear("<setup-failed")
          peer.send("<enable xmlns='urn:xmpp:sm:3'/>")
          try await peer.hear("<failed")
          peer.send(Self.message(from: "juliet@lax.test"))
          try await expectCutOff(peer, "not-authorized", "\(position)")
        }
        // A key for a domain whose servers cannot be found proves nothing, and none for a domain that needs a certificate.
        let peer = try await stage.secured(with: stage.nobody)
        peer.send(HostileStage.header())
        try await peer.hear("</stream:features>")
        for (from, condition) in [
          ("partner.test", "not-authorized"), ("corp.test", "not-authorized"), ("x.test", "policy-violation"),
        ] {
          peer.send("<result xmlns='jabber:server:dialback' from='\(from)' to='corp.test'>0123456789abcdef</result>")
          try await peer.hear("<\(condition)")
        }
        peer.send("<result xmlns='jabber:server:dialback' from='lax.test' to='corp.test'>0123456789abcdef</result>")
        try await peer.hear("<remote-server-not-found")
        peer.send(Self.message(from: "juliet@lax.test"))
        try await expectCutOff(peer, "not-authorized", "after a key that was not found")
        #expect(!stage.platformHeard.contains("forged"))
      }
    }

    /// RFC 6120 §8.3.1: what is an answer is never answered.
    @Test(.timeLimit(.minutes(1))) func errorLoops() async throws {
      try await withHostileStage { stage in
        let peer = try await stage.attacker(.authenticated)
        let error = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        for to in ["nobody@corp.test", "corp.test", "romeo@corp.test/x"] {
          let addresses = "from='juliet@partner.test' to='\(to)'"
          peer.send("<message type='error' id='loop1' \(addresses)><body>x</body>\(error)</message>")
          peer.send("<message type='error' id='loop2' \(addresses)/>")
          peer.send("<iq type='error' id='loop3' \(addresses)>\(error)</iq>")
          peer.send("<iq type='result' id='loop4' \(addresses)/>")
          peer.send("<presence type='error' id='loop5' \(addresses)>\(error)</presence>")
          peer.send("<iq type='strange' id='loop6' \(addresses)/>")
        }
        peer.send("<iq type='get' id='end' from='partner.test' to='corp.test'><query xmlns='urn:none'/></iq>")
        _ = try await waitUntil(within: .seconds(10)) { stage.partnerStanzas.contains("iq error end") }
        #expect(stage.partnerStanzas.contains("iq error end"))
        let answers = stage.partnerStanzas.filter { $0.contains("loop") && !$0.hasSuffix("loop6") }
        #expect(answers.isEmpty)
        peer.hangUp()
      }
    }
  }
}
