import Foundation
import Lab
import Testing

extension InteropTests {
  /// What people write and what they are called comes out as it went in.
  @Suite(.serialized) struct CharacterTests {
    static let texts = [
      "emoji 👩‍👩‍👧‍👦 🏳️‍🌈 🇮🇸 👍🏽", "RTL שלום עולם – مرحبا بالعالم \u{202E}override\u{202C}",
      "combining e\u{301} a\u{30A}\u{323} Z̸̢̛a̷l̶g̵o̴ ế", "& < > \" ' &amp; <b>&lt;</b> ]]> <![CDATA[x]]>",
      "one\ntwo\n\nfour\n",
      "  spaces at both ends  ", "tab\there", "mark\u{FEFF}inside", "𐍈 𝒳 \u{10FFFD}", "%C3%B6 \\27 %",
      "line\u{2028}separator\u{85}next", String(repeating: "ten thousand ", count: 788),
      String(repeating: "ü", count: 5000),
    ]

    @Test(.timeLimit(.minutes(2))) func textsBothWays() async throws {
      try await withStage { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser(over: .tcp))
        for text in Self.texts {
          juliet.say(text, to: "romeo@corp.test")
          #expect(Array(try await romeo.hear().text.utf8) == Array(text.utf8))
          #expect(try await romeo.say(text, to: "sip:juliet@partner.test").status == 200)
          let heard = try await juliet.hear().node.child("body")?.text ?? ""
          #expect(Array(heard.utf8) == Array(text.utf8))
        }
      }
    }

    /// XML 1.0 cannot carry these, with or without escaping: the line arrives without them and the stream lives on.
    @Test(
      .timeLimit(.minutes(1)),
      arguments: [
        Array("nul \0 bell \u{7} esc \u{1B}[31m end".utf8), Array("not characters \u{FFFE}\u{FFFF} end".utf8),
        Array("cut ".utf8) + [0xE2, 0x82] + Array(" end".utf8),
        Array("surrogate ".utf8) + [0xED, 0xA0, 0x80] + Array(" end".utf8),
        Array("overlong ".utf8) + [0xC0, 0xAF] + Array(" end".utf8),
        Array("high ".utf8) + [0xFF, 0xFE] + Array(" end".utf8),
      ])
    func illegalCharactersFromSIP(_ bytes: [UInt8]) async throws {
      try await withStage { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser(over: .tcp))
        let reply = try await romeo.say(bytes: bytes, to: "sip:juliet@partner.test")
        if reply.status == 200 {
          let text = try await juliet.hear().node.child("body")?.text ?? ""
          #expect(text.hasSuffix(" end"))
        } else {
          #expect((400..<500).contains(reply.status), "\(reply.status) \(reply.reason)")
        }
        try await converse(juliet, romeo)
        #expect(stage.gateway.log.lines(containing: "stream established").count == 1)
      }
    }

    struct Name: Sendable, CustomTestStringConvertible {
      let real: String
      /// The JID's local part (XEP-0106).
      let escaped: String
      var testDescription: String { real }
    }

    /// In the JID escaped as in XEP-0106, in the SIP URI as in RFC 3261.
    @Test(
      .timeLimit(.minutes(1)),
      arguments: [
        Name(real: "d'artagnan", escaped: #"d\27artagnan"#), Name(real: "a b", escaped: #"a\20b"#),
        Name(real: "jörg", escaped: "jörg"), Name(real: "михаил", escaped: "михаил"),
        Name(real: "x&y", escaped: #"x\26y"#), Name(real: #"back\slash"#, escaped: #"back\slash"#),
        Name(real: "q?/z", escaped: #"q?\2fz"#), Name(real: "50%+1", escaped: "50%+1"),
      ])
    func userNames(_ name: Name) async throws {
      try await withWorkspace { workspace in
        let port = try Loopback.freePort()
        let inURI = SIPText.escape(user: name.real)
        var plan = Stage.Plan()
        plan.users = ["juliet@partner.test": "juliet", "\(name.escaped)@partner.test": "pw"]
        // Kamailio's registrar takes no such names.
        plan.kamailio = { $0.fixedUsers = [inURI: port] }
        let stage = try await Stage(plan, in: workspace)
        do {
          let foreign = try await stage.xmppUser(name.escaped, password: "pw")
          let own = try await stage.sipUser(name.real, over: .tcp, fixedPort: port)
          foreign.say("hello", to: "\(name.escaped)@corp.test")
          let heard = try await own.hear(body: "hello")
          #expect(heard.from.removingPercentEncoding == "sip:\(name.real)@partner.test")
          // Answered as a client would: to the very URI it was written from.
          #expect(try await own.say("welcome", to: heard.fromURI).status == 200)
          let answer = try await foreign.hear(body: "welcome")
          #expect(XMPPUser.bare(answer.node["from"]) == "\(name.escaped)@corp.test")
        } catch {
          throw LabError("\(error)", log: stage.logs())
        }
      }
    }
  }
}
