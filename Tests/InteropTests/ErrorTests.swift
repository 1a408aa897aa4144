import Lab
import Testing

extension InteropTests {
  /// A message that cannot be delivered comes back, with the right reason, within seconds.
  @Suite(.serialized) struct ErrorTests {
    static let soon = Duration.seconds(8)

    @Test(.timeLimit(.minutes(1))) func toThePlatform() async throws {
      try await withStage { stage in
        let juliet = try await stage.xmppUser()
        let unknown = try await juliet.error(for: juliet.say("x", to: "nobody@corp.test"), within: Self.soon)
        // RFC 7247 §7.2: 404.
        #expect(unknown.condition == "item-not-found" && unknown.type == "cancel")

        let romeo = try await stage.sipUser()
        for (status, reason, condition) in [
          (486, "Busy Here", "recipient-unavailable"), (403, "Forbidden", "forbidden"),
          (415, "Unsupported Media Type", "not-acceptable"), (500, "Server Internal Error", "internal-server-error"),
          (603, "Decline", "recipient-unavailable"), (413, "Request Entity Too Large", "policy-violation"),
        ] {
          romeo.answer = { _ in (status, reason) }
          let error = try await juliet.error(for: juliet.say("x", to: "romeo@corp.test"), within: Self.soon)
          #expect(error.condition == condition, "\(status) became \(error)")
        }
        romeo.answer = { _ in (200, "OK") }
        try await converse(juliet, romeo)
      }
    }

    @Test(.timeLimit(.minutes(1))) func toThePartner() async throws {
      var plan = Stage.Plan()
      plan.gateway = { configuration in
        configuration.partners += [.init("nowhere.test"), .init("closed.test"), .init("refuses.test")]
        // RFC 2782: no service here.
        configuration.dns.set("_xmpp-server._tcp.refuses.test", [.srv(priority: 0, weight: 0, port: 0, target: ".")])
        configuration.dns.set("_xmpps-server._tcp.refuses.test", [.srv(priority: 0, weight: 0, port: 0, target: ".")])
      }
      try await withStage(plan) { stage in
        let romeo = try await stage.sipUser()
        for _ in 1...2 {
          let reply = try await romeo.say("x", to: "sip:nobody@partner.test", within: Self.soon)
          if reply.status == 200 {
            // Prosody's ack overtook its error, which travels on the other stream: a message says so afterwards.
            let notice = try await romeo.hear(within: Self.soon)
            #expect(notice.from == "sip:nobody@partner.test")
            #expect(!notice.text.hasSuffix(": "), "no reason in \"\(notice.text)\"")
          } else {
            // Prosody says service-unavailable; that must not become 503 (RFC 7247 §7.1).
            #expect([403, 404, 405].contains(reply.status), "\(reply.status) \(reply.reason)")
          }
        }
        let rows: [(to: String, expected: [Int], what: String)] = [
          ("sip:somebody@stranger.test", [403, 404], "domain that is no partner"),
          ("sip:somebody@nowhere.test", [404, 408], "partner without a name in DNS"),
          ("sip:somebody@refuses.test", [404, 408], "partner whose SRV says no"),
        ]
        for row in rows {
          let reply = try await romeo.say("x", to: row.to, within: Self.soon)
          #expect(row.expected.contains(reply.status), "\(row.what): \(reply.status) \(reply.reason)")
        }
      }
    }

    /// The organisation's partner list is what lets a domain in; a good certificate is not enough.
    @Test(.timeLimit(.minutes(1))) func strangerDomain() async throws {
      var plan = Stage.Plan()
      plan.gateway = { $0.partners = [.init("friend.test")] }
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        let error = try await juliet.error(for: juliet.say("x", to: "romeo@corp.test"), within: Self.soon)
        // Prosody shows its people what the gateway's stream error says.
        #expect(error.text?.contains("policy-violation") == true, "\(error)")
        #expect(romeo.requests.rest.isEmpty)
      }
    }

    /// Addresses that belong to nobody here: the gateway is no relay and its domain no mailbox.
    @Test(.timeLimit(.minutes(1))) func oddAddresses() async throws {
      try await withStage { stage in
        let juliet = try await stage.xmppUser()
        for to in ["corp.test", "romeo@corp.test/no-such-device"] {
          let error = try await juliet.error(for: juliet.say("x", to: to), within: Self.soon)
          #expect(!error.condition.isEmpty, "\(to)")
        }
      }
    }
  }
}
