import Lab
import Testing

/// What attackers send, and the stream error they get for it.
struct HostileWords: CustomTestStringConvertible, Sendable {
  var name: String
  var bytes: [UInt8]
  var condition: String
  /// What it is where a header was said before.
  var repeated: String?

  init(_ name: String, _ text: some StringProtocol, _ condition: String, repeated: String? = nil) {
    self.init(name, Array(text.utf8), condition)
    self.repeated = repeated
  }

  init(_ name: String, _ bytes: [UInt8], _ condition: String) {
    self.name = name
    self.bytes = bytes
    self.condition = condition
  }

  var testDescription: String { name }
}

/// Runs `body` against a gateway in a conversation. Whatever was done to it, it serves afterwards.
func withHostileStage(
  _ adjust: (inout GatewayConfiguration) throws -> Void = { _ in }, _ body: (HostileStage) async throws -> Void
) async throws {
  try await withWorkspace { workspace in
    let stage = try await HostileStage(in: workspace, adjust: adjust)
    do {
      try await body(stage)
      try await stage.converse()
    } catch {
      throw LabError("\(error)", log: stage.gateway.log.tail(12))
    }
    #expect(stage.gateway.process.isRunning)
    await stage.close()
  }
}

/// The peer is told `condition`, if one is due, and the connection ends.
func expectCutOff(
  _ peer: HostileConnection, _ condition: String?, _ what: String, within limit: Duration = .seconds(8),
  sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  do {
    let said = try await peer.ending(within: limit)
    let told = HostileConnection.streamError(in: said)
    #expect(told == condition, "\(what): \(said.suffix(300))", sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(what): \(error)", sourceLocation: sourceLocation)
    peer.hangUp()
  }
}

extension InteropTests {
  /// Attacks of strangers on the XMPP side, with nothing in between: real sockets to the running executable.
  @Suite(.serialized) struct HostilePeerTests {
    static let strangers: [HostileStage.Position] = [.clear, .secured, .direct]

    /// In place of a stream header.
    static let openings: [HostileWords] = [
      .init("zero bytes", [UInt8](repeating: 0, count: 64), "unsupported-encoding"),
      .init("bytes that are no UTF-8", [0x80, 0xC0, 0x3C], "not-well-formed"),
      .init("a TLS record", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], "not-well-formed"),
      .init("HTTP", "GET / HTTP/1.1\r\nHost: corp.test\r\n\r\n", "not-well-formed"),
      .init("UTF-16", [0xFE, 0xFF, 0, 0x3C, 0, 0x3F], "unsupported-encoding"),
      .init("Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><stream:stream/>", "unsupported-encoding"),
      .init("XML 1.1", "<?xml version='1.1'?>" + HostileStage.header().dropFirst(21), "restricted-xml"),
      .init("a DTD", "<!DOCTYPE s [<!ENTITY a 'b'>]>" + HostileStage.header().dropFirst(21), "restricted-xml"),
      .init("an entity bomb", entityBomb + "<stream>&e;</stream>", "restricted-xml"),
      .init(
        "an external entity", "<!DOCTYPE s SYSTEM 'file:///etc/passwd'>" + HostileStage.header().dropFirst(21),
        "restricted-xml"),
      .init("a processing instruction", "<?php phpinfo() ?>", "restricted-xml"),
      .init("a comment", "<!-- hello -->", "restricted-xml"),
      .init("another element", "<iq/>", "invalid-namespace"),
      .init(
        "a client's stream", HostileStage.header().replacing("jabber:server", with: "jabber:client"),
        "invalid-namespace"),
      .init(
        "another stream namespace", HostileStage.header().replacing("etherx.jabber.org", with: "example.org"),
        "invalid-namespace"),
      .init("no version", HostileStage.header().replacing("version='1.0'>", with: ">"), "unsupported-version"),
      .init(
        "version 0.9", HostileStage.header().replacing("version='1.0'>", with: "version='0.9'>"), "unsupported-version"),
      .init("no from", HostileStage.header().replacing("from='lax.test'", with: ""), "improper-addressing"),
      .init("no to", HostileStage.header().replacing("to='corp.test'", with: ""), "improper-addressing"),
      .init("a from that is no domain", HostileStage.header(from: "a b@c"), "improper-addressing"),
      .init("to somebody else", HostileStage.header(to: "example.org"), "host-unknown"),
      .init("to one of our users", HostileStage.header(to: "romeo@corp.test"), "host-unknown"),
      .init("from our own domain", HostileStage.header(from: "corp.test"), "invalid-from"),
      .init("from our own domain, dotted and in capitals", HostileStage.header(from: "CORP.TEST."), "invalid-from"),
      .init(
        "from no partner", HostileStage.header(from: "stranger.test"), "policy-violation", repeated: "invalid-from"),
      .init(
        "from below a partner", HostileStage.header(from: "sub.partner.test"), "policy-violation",
        repeated: "invalid-from"),
      .init("a separator in a namespace", HostileStage.header(more: " xmlns:x='a&#1;b'"), "not-well-formed"),
      .init(
        "a header of 5000 bytes", HostileStage.header(more: " x='\(String(repeating: "y", count: 5000))'"),
        "policy-violation"),
      .init(
        "40 namespaces",
        HostileStage.header(more: (0..<40).map { " xmlns:n\($0)='u:\($0)'" }.joined()), "policy-violation"),
    ]

    /// Inside a stream.
    static let insideAny: [HostileWords] = [
      .init("bytes that are no UTF-8", Array("<message><body>".utf8) + [0xC0, 0x80], "not-well-formed"),
      .init("a surrogate in UTF-8", Array("<message><body>".utf8) + [0xED, 0xA0, 0x80], "not-well-formed"),
      .init("a control character", "<message><body>\u{1}", "not-well-formed"),
      .init("a DTD", entityBomb, "restricted-xml"),
      .init("an unknown entity", "<message><body>&lol;</body></message>", "restricted-xml"),
      .init("a processing instruction", "<message><?x y?></message>", "restricted-xml"),
      .init("a comment", "<message><!-- x --></message>", "restricted-xml"),
      .init("an XML declaration", "<?xml version='1.0'?>", "restricted-xml"),
      .init("text between stanzas", "hello", "bad-format"),
      .init("a stream in the stream", String(HostileStage.header().dropFirst(21)), "bad-format"),
      .init("tags that do not match", "<message></iq>", "not-well-formed"),
      .init("an undeclared prefix", "<x:message/>", "not-well-formed"),
      .init("an attribute twice", "<message a='1' a='2'/>", "not-well-formed"),
      .init("depth", String(repeating: "<a>", count: 80), "policy-violation"),
      .init("attributes", "<message \((0..<200).map { "a\($0)='' " }.joined())/>", "policy-violation"),
      .init("a name of 300 bytes", "<\(String(repeating: "n", count: 300))/>", "policy-violation"),
      .init("a tag of 70 kB", "<message a='\(String(repeating: "x", count: 70_000))'/>", "policy-violation"),
      .init("a text of 300 kB", "<message><body>\(String(repeating: "x", count: 300_000))", "policy-violation"),
      .init("300 kB of small elements", "<message>" + String(repeating: "<a/>", count: 75_000), "policy-violation"),
      .init("an unknown element", "<hello xmlns='urn:x'/>", "unsupported-stanza-type"),
    ]

    static let insideStranger: [HostileWords] = [
      .init(
        "a message", "<message from='juliet@partner.test' to='romeo@corp.test'><body>x</body></message>",
        "not-authorized"),
      .init(
        "an iq", "<iq type='get' id='1' from='partner.test' to='corp.test'><ping xmlns='urn:xmpp:ping'/></iq>",
        "not-authorized"),
      .init("presence", "<presence from='juliet@partner.test' to='romeo@corp.test'/>", "not-authorized"),
      .init("a result", "<iq type='result' id='1' from='partner.test' to='corp.test'/>", "not-authorized"),
      .init("an error", "<message type='error' from='partner.test' to='romeo@corp.test'/>", "not-authorized"),
      .init(
        "too many SASL attempts",
        String(repeating: "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>", count: 5),
        "policy-violation"),
      .init(
        "endless questions about compression",
        String(
          repeating: "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
          count: 2000), "policy-violation"),
      .init(
        "endless unsolicited dialback",
        String(
          repeating: "<result xmlns='jabber:server:dialback' type='valid' from='partner.test' to='corp.test'/>",
          count: 2000), "policy-violation"),
      .init(
        "endless questions for acknowledgements", String(repeating: "<r xmlns='urn:xmpp:sm:3'/>", count: 2000),
        "policy-violation"),
    ]

    static let entityBomb =
      "<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;'>"
      + "<!ENTITY d '&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;'>]>"

    @Test(.timeLimit(.minutes(1))) func strangeOpenings() async throws {
      try await withHostileStage { stage in
        for words in Self.openings {
          for position in Self.strangers {
            let peer = try await stage.attacker(position)
            peer.send(words.bytes)
            let condition = position == .secured ? words.repeated ?? words.condition : words.condition
            try await expectCutOff(peer, condition, "\(words.name), \(position)")
          }
          try await stage.converse()
        }
      }
    }

    @Test(.timeLimit(.minutes(1))) func strangeWords() async throws {
      try await withHostileStage { stage in
        for position in HostileStage.Position.allCases {
          for words in Self.insideAny + (position == .authenticated ? [] : Self.insideStranger) {
            let peer = try await stage.attacker(position)
            if position != .authenticated {
              peer.send(HostileStage.header())
              try await peer.hear("</stream:features>")
            }
            peer.send(words.bytes)
            try await expectCutOff(peer, words.condition, "\(words.name), \(position)")
          }
          try await stage.converse()
        }
        #expect(!stage.platformHeard.contains { !$0.hasPrefix("honest") })
      }
    }
  }
}
