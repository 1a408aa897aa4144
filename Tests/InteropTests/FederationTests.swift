import Lab
import Testing

extension InteropTests {
  /// Every way in which two servers prove themselves to each other, both directions each time.
  @Suite(.serialized) struct FederationTests {
    struct Case: Sendable, CustomTestStringConvertible {
      var partner: Stage.Partner
      var identity: Stage.Identity
      var directTLS = false
      var testDescription: String { "\(partner) \(identity) \(directTLS ? "direct TLS" : "STARTTLS")" }
    }

    @Test(
      .timeLimit(.minutes(2)),
      arguments: [
        Case(partner: .prosody, identity: .external),
        Case(partner: .prosody, identity: .external, directTLS: true),
        Case(partner: .prosody, identity: .dialback),
        Case(partner: .prosody, identity: .dialback, directTLS: true),
        Case(partner: .ejabberd, identity: .external),
        Case(partner: .ejabberd, identity: .external, directTLS: true),
        Case(partner: .ejabberd, identity: .dialback),
        Case(partner: .ejabberd, identity: .dialback, directTLS: true),
      ])
    func bothWays(_ row: Case) async throws {
      var plan = Stage.Plan()
      plan.identity = row.identity
      plan.directTLS = row.directTLS
      try await withStage(plan, partner: row.partner) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        try await converse(juliet, romeo)
        try await converse(juliet, romeo, "again")

        let method = row.identity == .external ? "method=external" : "method=dialback"
        let accepted = stage.gateway.log.lines(containing: "stream accepted")
        let established = stage.gateway.log.lines(containing: "stream established")
        #expect(!accepted.isEmpty && accepted.allSatisfy { $0.contains(method) && $0.contains("tls=TLSv1") })
        #expect(!established.isEmpty && established.allSatisfy { $0.contains(method) && $0.contains("tls=TLSv1") })
        let port =
          row.directTLS
          ? stage.prosody?.directTLSPort ?? stage.ejabberd?.directTLSPort
          : stage.prosody?.serverPort ?? stage.ejabberd?.serverPort
        #expect(
          established.allSatisfy { $0.contains(":\(port ?? 0))") }, "dialled \(established), not port \(port ?? 0)")
        if let prosody = stage.prosody {
          let own = row.directTLS ? stage.gateway.configuration.directTLSPort : stage.gateway.configuration.xmppPort
          #expect(prosody.process.log.contains("Next target to try is 127.0.0.1:\(own)"))
        }
      }
    }

    /// The partner has no XEP-0198: a ping behind the messages must confirm them.
    @Test(.timeLimit(.minutes(1))) func withoutStreamManagement() async throws {
      var plan = Stage.Plan()
      plan.prosody = { $0.streamManagement = false }
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        try await converse(juliet, romeo)
      }
    }

    /// A partner whose certificate proves nothing gets no stream in either direction, and people are told so.
    @Test(
      .timeLimit(.minutes(1)),
      arguments: ["expired", "not yet valid", "wrong name", "self-signed", "other authority", "name only in CN"])
    func badCertificate(_ kind: String) async throws {
      var plan = Stage.Plan()
      plan.partnerCertificate = { authority, workspace in
        var request = CertificateRequest.xmpp("partner.test")
        switch kind {
        case "expired": request.validity = .expired
        case "not yet valid": request.validity = .notYet
        case "wrong name": request = .xmpp("else.test")
        case "name only in CN": request = .commonNameOnly("partner.test")
        case "self-signed": return try await authority.selfSigned(request, file: "bad")
        default: return try await CertificateAuthority(name: "other", in: workspace).issue(request, file: "bad")
        }
        return try await authority.issue(request, file: "bad")
      }
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        let id = juliet.say("in", to: "romeo@corp.test")
        let told = try await juliet.error(for: id)
        #expect(!told.condition.isEmpty)
        let reply = try await romeo.say("out", to: "sip:juliet@partner.test")
        #expect((400..<700).contains(reply.status) && reply.status != 503, "\(reply.status) \(reply.reason)")
        #expect(romeo.requests.rest.isEmpty)
      }
    }

    /// What public CAs issue since 2026: no clientAuth. Prosody does not mind, and neither may we.
    @Test(.timeLimit(.minutes(1))) func serverPurposeIsEnough() async throws {
      var plan = Stage.Plan()
      plan.partnerCertificate = { authority, _ in
        var request = CertificateRequest.xmpp("partner.test")
        request.purpose = .server
        return try await authority.issue(request)
      }
      try await withStage(plan) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        try await converse(juliet, romeo)
        #expect(!stage.gateway.log.lines(containing: "stream accepted").filter { $0.contains("external") }.isEmpty)
      }
    }

    /// ejabberd 23.01 refuses our certificate for want of clientAuth, after it offered EXTERNAL: dialback must follow.
    @Test(.timeLimit(.minutes(1))) func dialbackAfterExternalFailed() async throws {
      var plan = Stage.Plan()
      plan.domainCertificate = { authority in
        var request = CertificateRequest.xmpp("corp.test")
        request.purpose = .server
        return try await authority.issue(request)
      }
      plan.ejabberd = { $0.authentication = .both }
      plan.gateway = { $0.partners[0].dialback = true }
      try await withStage(plan, partner: .ejabberd) { stage in
        let (juliet, romeo) = (try await stage.xmppUser(), try await stage.sipUser())
        try await converse(juliet, romeo)
        let established = stage.gateway.log.lines(containing: "stream established")
        #expect(established.allSatisfy { $0.contains("method=dialback") }, "\(established)")
      }
    }
  }
}
