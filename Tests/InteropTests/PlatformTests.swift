import Lab
import Testing

extension InteropTests {
  /// The organisation's side: Kamailio with user agents behind it, and clients of the Skype for Business kind.
  @Suite(.serialized) struct PlatformTests {
    @Test(
      .timeLimit(.minutes(1)), arguments: [SIPUser.Transport.udp, .tcp],
      [KamailioConfiguration.GatewayTransport.tls, .tcp])
    func pageMode(userOver: SIPUser.Transport, gatewayOver: KamailioConfiguration.GatewayTransport) async throws {
      var plan = Stage.Plan()
      plan.platformTransport = gatewayOver
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser(over: userOver))
        try await converse(juliet, romeo)
      }
    }

    /// An answer to the very URI that a message came from reaches that device.
    @Test(.timeLimit(.minutes(1))) func answerToTheDevice() async throws {
      try await withStage { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        juliet.say("who is there?", to: "romeo@corp.test")
        let heard = try await romeo.hear()
        #expect(try await romeo.say("I am", to: heard.fromURI).status == 200)
        #expect(XMPPUser.bare(try await juliet.hear(body: "I am").node["to"]) == "juliet@partner.test")
      }
    }

    @Test(.timeLimit(.minutes(1))) func linphone() async throws {
      try await withStage { stage in
        let juliet = try await stage.xmppUser()
        let mercutio = try await Linphone(
          "mercutio", domain: "corp.test", port: stage.kamailio.port, in: stage.workspace)
        juliet.say("good den", to: "mercutio@corp.test")
        try await mercutio.hear("good den")
        mercutio.say("a word and a blow", to: "sip:juliet@partner.test")
        let heard = try await juliet.hear(body: "a word and a blow")
        #expect(XMPPUser.bare(heard.node["from"]) == "mercutio@corp.test")
        await mercutio.stop()
      }
    }

    /// The gateway opens the session: INVITE, MESSAGE in it, and the answer comes in the same one.
    @Test(.timeLimit(.minutes(1))) func sessionToThePlatform() async throws {
      try await withSession { stage, sipp in
        let juliet = try await stage.xmppUser()
        let call = try await sipp.start(
          SIPpScenario.callee(expects: "are you there?", says: "here I am"), name: "callee", to: nil, calling: "romeo")
        juliet.say("are you there?", to: "romeo@corp.test")
        try await call.finish()
        let heard = try await juliet.hear(body: "here I am")
        #expect(XMPPUser.bare(heard.node["from"]) == "romeo@corp.test")
      }
    }

    /// The client opens the session with a copy of its first line in `ms-text-format`: that line arrives once.
    @Test(.timeLimit(.minutes(1))) func sessionFromThePlatform() async throws {
      try await withSession { stage, sipp in
        let juliet = try await stage.xmppUser()
        let call = try await sipp.start(
          SIPpScenario.caller(
            from: "sip:romeo@corp.test", to: "sip:juliet@partner.test", says: ["first", "second"], expects: "third"),
          name: "caller", to: stage.kamailio.port)
        do {
          for text in ["first", "second"] {
            // In order, each once: whatever has a body next must be this.
            let heard = try await juliet.hear(from: "romeo@corp.test")
            #expect(heard.node.child("body")?.text == text)
          }
        } catch {
          try await call.finish(within: .seconds(1))
          throw error
        }
        let typing = try await juliet.stanzas.first(within: .seconds(5)) { $0.node.child("composing") }
        #expect(typing?.namespace == "http://jabber.org/protocol/chatstates")
        juliet.say("third", to: "romeo@corp.test")
        try await call.finish()
        #expect(juliet.stanzas.rest.allSatisfy { $0.node.name != "message" || $0.node.child("body") == nil })
      }
    }

    /// A stage in session mode whose romeo is a SIPp behind Kamailio.
    private func withSession(_ body: (Stage, SIPp) async throws -> Void) async throws {
      try await withWorkspace { workspace in
        let sipp = try SIPp(in: workspace)
        var plan = Stage.Plan()
        plan.mode = .session
        plan.kamailio = { $0.fixedUsers = ["romeo": sipp.port] }
        let stage = try await Stage(plan, in: workspace)
        do {
          try await body(stage, sipp)
        } catch {
          throw LabError("\(error)", log: stage.logs())
        }
      }
    }
  }
}
