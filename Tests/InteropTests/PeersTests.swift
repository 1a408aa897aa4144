import Foundation
import Testing

import Lab

extension InteropTests {
  /// The lab against itself, without a gateway: what a failing interop test means is only clear while these pass.
  @Suite(.serialized) struct PeersTests {
    @Test func missingPeerIsNamed() {
      let error = #expect(throws: LabError.self) { try Tool.find("no-such-server", package: "nothing") }
      #expect(error?.description == "no-such-server is not installed; the lab needs it (apt install nothing)")
    }

    @Test(.timeLimit(.minutes(1))) func twoUsersOfOneProsody() async throws {
      try await withWorkspace { workspace in
        let dns = try DNSServer()
        let ca = try await CertificateAuthority(in: workspace)
        let prosody = try await Prosody(
          ProsodyConfiguration(
            domains: ["partner.test": try await ca.issue(.xmpp("partner.test"))],
            users: ["juliet@partner.test": "pw", "o\\27malley@partner.test": "pw"], authority: ca.root, dns: dns),
          in: workspace)
        let juliet = try await XMPPUser("juliet@partner.test", password: "pw", port: prosody.clientPort)
        let other = try await XMPPUser("o\\27malley@partner.test", password: "pw", port: prosody.clientPort)
        let body = "a <b> & \"c\" 'd' 🦄 שלום\nsecond line"
        juliet.say(body, to: other.jid)
        #expect(try await other.hear(from: juliet.jid).node.child("body")?.text == body)
        let id = juliet.say("x", to: "nobody@partner.test")
        #expect(try await juliet.error(for: id).condition == "service-unavailable")
      }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [SIPUser.Transport.udp, .tcp])
    func twoUsersOfOneKamailio(transport: SIPUser.Transport) async throws {
      try await withWorkspace { workspace in
        let ca = try await CertificateAuthority(in: workspace)
        var configuration = KamailioConfiguration(
          domain: "corp.test", certificate: try await ca.issue(.sip("corp.test")), authority: ca.root,
          gatewayPort: try Loopback.freePort())
        configuration.answerLimit = .seconds(1)
        let kamailio = try await Kamailio(configuration, in: workspace)
        let romeo = try await SIPUser("romeo", domain: "corp.test", port: kamailio.port, over: transport)
        let other = try await SIPUser("o'malley b", domain: "corp.test", port: kamailio.port, over: transport)
        let reply = try await romeo.say("grüß dich 🦄", to: other.address)
        #expect(reply.status == 200)
        let heard = try await other.hear()
        #expect(heard.text == "grüß dich 🦄")
        #expect(heard.from == "sip:romeo@corp.test")
        #expect(try await romeo.say("x", to: "sip:nobody@corp.test").status == 404)
        other.answer = { _ in (486, "Busy Here") }
        #expect(try await romeo.say("x", to: other.address).status == 486)
        other.answer = { _ in nil }
        #expect(try await romeo.say("x", to: other.address).status == 408)
      }
    }

    @Test(.timeLimit(.minutes(2)), arguments: [true, false])
    func prosodyWithEjabberd(external: Bool) async throws {
      try await withWorkspace { workspace in
        let dns = try DNSServer()
        let ca = try await CertificateAuthority(in: workspace)
        var left = ProsodyConfiguration(
          domains: ["partner.test": try await ca.issue(.xmpp("partner.test"))], users: ["juliet@partner.test": "pw"],
          authority: ca.root, dns: dns)
        left.authentication = external ? .external : .dialback
        var right = EjabberdConfiguration(
          domains: ["other.test": try await ca.issue(.xmpp("other.test"))], users: ["nurse@other.test": "pw"],
          authority: ca.root, dns: dns)
        right.authentication = external ? .external : .dialback
        let prosody = try await Prosody(left, in: workspace)
        dns.setXMPP("partner.test", port: prosody.serverPort, host: "localhost")
        let ejabberd = try await Ejabberd(right, in: workspace)
        let juliet = try await XMPPUser("juliet@partner.test", password: "pw", port: prosody.clientPort)
        let nurse = try await XMPPUser("nurse@other.test", password: "pw", port: ejabberd.clientPort)
        juliet.say("hello", to: nurse.jid)
        _ = try await nurse.hear(body: "hello", within: .seconds(15))
        nurse.say("and back", to: juliet.jid)
        _ = try await juliet.hear(body: "and back", within: .seconds(15))
        let way = "Accepted inbound s2s \(external ? "EXTERNAL" : "dialback") authentication partner.test"
        #expect(try await waitUntil(within: .seconds(5)) { ejabberd.log.contains(way) })
      }
    }

    /// SIPp calls SIPp through Kamailio.
    @Test(.timeLimit(.minutes(1))) func skypeForBusinessDialect() async throws {
      try await withWorkspace { workspace in
        let ca = try await CertificateAuthority(in: workspace)
        let (caller, callee) = (try SIPp(in: workspace), try SIPp(in: workspace))
        var configuration = KamailioConfiguration(
          domain: "corp.test", certificate: try await ca.issue(.sip("corp.test")), authority: ca.root,
          gatewayPort: try Loopback.freePort())
        configuration.fixedUsers = ["callee": callee.port]
        let kamailio = try await Kamailio(configuration, in: workspace)
        let answering = try await callee.start(
          SIPpScenario.callee(expects: "hello (there)?", says: "hi", types: false, hangsUp: false), name: "callee",
          to: nil,
          calling: "callee")
        let calling = try await caller.start(
          SIPpScenario.caller(
            from: "sip:caller@corp.test", to: "sip:callee@corp.test", says: ["hello (there)?"], expects: "hi",
            types: false),
          name: "caller", to: kamailio.port)
        try await calling.finish()
        try await answering.finish()
      }
    }

    @Test(.timeLimit(.minutes(1))) func linphoneBehindKamailio() async throws {
      try await withWorkspace { workspace in
        let ca = try await CertificateAuthority(in: workspace)
        let kamailio = try await Kamailio(
          KamailioConfiguration(
            domain: "corp.test", certificate: try await ca.issue(.sip("corp.test")), authority: ca.root,
            gatewayPort: try Loopback.freePort()), in: workspace)
        let romeo = try await SIPUser("romeo", domain: "corp.test", port: kamailio.port, over: .tcp)
        let linphone = try await Linphone("mercutio", domain: "corp.test", port: kamailio.port, in: workspace)
        #expect(try await romeo.say("a plague on both", to: linphone.address).status == 200)
        try await linphone.hear("a plague on both")
        linphone.say("ask for me tomorrow", to: romeo.address)
        #expect(try await romeo.hear(body: "ask for me tomorrow").from == linphone.address)
        await linphone.stop()
      }
    }

    /// What the gateway will meet on the platform's side: no certificate, no service.
    @Test(.timeLimit(.minutes(1))) func kamailioAsksForACertificate() async throws {
      try await withWorkspace { workspace in
        let ca = try await CertificateAuthority(in: workspace)
        let gateway = try Loopback.freePort()
        let kamailio = try await Kamailio(
          KamailioConfiguration(
            domain: "corp.test", certificate: try await ca.issue(.sip("corp.test")), authority: ca.root,
            gatewayPort: gateway), in: workspace)
        let own = try await ca.issue(.sip("gateway.test"))
        let openssl = try Tool.find("openssl", package: "openssl")
        let common = [
          "s_client", "-connect", "127.0.0.1:\(kamailio.tlsPort)", "-CAfile", ca.root, "-verify_return_error",
        ]
        let request =
          "OPTIONS sip:corp.test SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:1;branch=z9hG4bK1\r\n"
          + "From: <sip:gateway.test>;tag=1\r\nTo: <sip:corp.test>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
          + "Max-Forwards: 70\r\nContent-Length: 0\r\n\r"
        for (name, arguments, answered) in [
          ("with", ["-cert", own.certificate, "-key", own.key], true), ("without", [String](), false),
        ] {
          let client = try workspace.start(
            name: name, executable: openssl.path, arguments: common + arguments, wantsInput: true)
          client.type(request)
          let end = try await waitFor(within: .seconds(5)) {
            client.log.contains("SIP/2.0 200") ? true : client.isRunning ? nil : false
          }
          #expect(end == answered, "\(client.log.tail(10))")
          await client.kill()
        }
      }
    }
  }
}
