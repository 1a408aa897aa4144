import Foundation
import NIOCore
import Transport

/// A gateway in a conversation with an honest partner and an honest platform, and what attackers need: certificates of
/// each kind, and the ways in.
package final class HostileStage: @unchecked Sendable {
  /// How far an attacker of the XMPP side has come.
  package enum Position: String, CaseIterable, Sendable {
    /// Connected, nothing said.
    case clear
    /// After STARTTLS, with a certificate that proves nothing.
    case secured
    /// The same on the direct TLS port.
    case direct
    /// A partner gone bad: SASL EXTERNAL done and the stream open.
    case authenticated
  }

  /// A partner whose servers need no certificate: strangers in its name get as far as strangers can.
  package static let laxDomain = "lax.test"

  package let stage: LoadStage
  package let loop: any EventLoop
  package let authority: CertificateAuthority
  /// Clients of that certificate: of nobody, of the partner, of the platform.
  package let nobody: TLSContext
  package let partner: TLSContext
  package let platform: TLSContext

  private let lock = NSLock()
  private var arrivedIn: [String] = []
  private var arrivedOut: [String] = []
  private var stanzas: [String] = []
  private var answers: [String: Int] = [:]
  private var count = 0

  package init(in workspace: Workspace, adjust: (inout GatewayConfiguration) throws -> Void = { _ in }) async throws {
    stage = try await LoadStage(in: workspace, logLevel: "info") { configuration in
      configuration.more["xmpp", default: [:]]["connections-per-address"] = "1000"
      var lax = GatewayConfiguration.Partner(Self.laxDomain)
      lax.dialback = true
      configuration.partners.append(lax)
      try adjust(&configuration)
    }
    loop = stage.loop
    authority = stage.authority
    let trust = TrustStore.file(authority.root)
    nobody = try TLSContext.client(identity: nil, trust: trust, options: TLSOptions())
    partner = try Self.client(authority.files(LoadStage.partnerDomain), trust)
    platform = try Self.client(authority.files("platform.corp.test"), trust)
    let (honest, provider) = (stage.partner, stage.platform)
    try await loop.submit { [self] in
      provider.onRequest = { request in
        self.lock.withLock { self.arrivedIn.append(String(decoding: request.body, as: UTF8.self)) }
        return 200
      }
      provider.onResponse = { response in
        self.lock.withLock { self.answers[response["Call-ID"] ?? ""] = response.status }
      }
      honest.onStanza = { stanza in
        let body = stanza.child("body", stanza.name.namespace)?.text ?? ""
        self.lock.withLock {
          self.arrivedOut.append(body)
          self.stanzas.append("\(stanza.name.local) \(stanza["type"] ?? "") \(stanza["id"] ?? "")")
        }
      }
    }.get()
    try await stage.connect()
  }

  private static func client(_ files: Certificate, _ trust: TrustStore) throws -> TLSContext {
    let identity = try TLSIdentity(certificateFile: files.certificate, keyFile: files.key, domains: [])
    return try TLSContext.client(identity: identity, trust: trust, options: TLSOptions())
  }

  /// A client that shows this certificate.
  package func client(_ files: Certificate) throws -> TLSContext {
    try Self.client(files, .file(authority.root))
  }

  package var gateway: GatewayProcess { stage.gateway }
  package func close() async { await stage.close() }

  /// Bodies that reached the platform.
  package var platformHeard: [String] { lock.withLock { arrivedIn } }
  /// Bodies that reached the partner.
  package var partnerHeard: [String] { lock.withLock { arrivedOut } }

  /// Kind, type and id of every stanza that reached the partner.
  package var partnerStanzas: [String] { lock.withLock { stanzas } }

  // MARK: Honest traffic

  /// One message in each direction between people who have nothing to do with the attack.
  package func converse() async throws {
    guard gateway.process.isRunning else { throw LabError("drawbridge ended", log: gateway.log.tail(10)) }
    let mark = lock.withLock { () -> Int in
      count += 1
      return count
    }
    let (inward, outward) = ("honest in \(mark)", "honest out \(mark)")
    let stanza =
      "<message from='juliet@partner.test/lab' to='romeo@corp.test' type='chat' id='honest\(mark)'>"
      + "<body>\(inward)</body></message>"
    let (partner, platform) = (stage.partner, stage.platform)
    let request = message(from: "romeo@corp.test", to: "juliet@partner.test", id: "honest\(mark)", outward)
    loop.execute {
      partner.send(Array(stanza.utf8))
      platform.send(request)
    }
    let crossed = try await waitUntil(within: HostileConnection.patience) {
      self.platformHeard.contains(inward) && self.partnerHeard.contains(outward)
    }
    if !crossed { throw LabError("an honest message does not arrive", log: gateway.log.tail(10)) }
  }

  /// Has the platform send one. The status, once there is one, is `answer(to: id)`.
  package func submit(to: String, id: String, _ body: String) {
    let request = message(from: "romeo@corp.test", to: to, id: id, body)
    loop.execute { [platform = stage.platform] in platform.send(request) }
  }

  package func answer(to id: String) -> Int? { lock.withLock { answers["\(id)@hostile"] } }

  package func message(from: String, to: String, id: String, _ body: String) -> WireSIP {
    WireSIP(
      startLine: "MESSAGE sip:\(to) SIP/2.0",
      headers: [
        ("Via", "SIP/2.0/TLS platform.corp.test:5061;branch=z9hG4bK\(id)"), ("Max-Forwards", "70"),
        ("From", "<sip:\(from)>;tag=\(id)"), ("To", "<sip:\(to)>"), ("Call-ID", "\(id)@hostile"),
        ("CSeq", "1 MESSAGE"), ("Content-Type", "text/plain"),
      ], body: Array(body.utf8))
  }

  // MARK: Ways in

  package static func header(from: String = laxDomain, to: String = "corp.test", more: String = "") -> String {
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
      + "from='\(from)' to='\(to)' version='1.0'\(more)>"
  }

  /// A connection on the XMPP side which has come so far; from there on nothing is heard yet.
  package func attacker(_ position: Position) async throws -> HostileConnection {
    let port = gateway.configuration.xmppPort
    switch position {
    case .clear: return try await HostileConnection.open(port, on: loop)
    case .direct:
      return try await HostileConnection.open(
        gateway.configuration.directTLSPort, tls: nobody, serverName: "corp.test", on: loop)
    case .secured: return try await secured(with: nobody)
    case .authenticated:
      let peer = try await secured(with: partner, as: LoadStage.partnerDomain)
      peer.send(Self.header(from: LoadStage.partnerDomain))
      try await peer.hear("</stream:features>")
      peer.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
      try await peer.hear("<success")
      try await peer.hear("/>")
      peer.send(Self.header(from: LoadStage.partnerDomain))
      try await peer.hear("</stream:features>")
      return peer
    }
  }

  package func secured(
    with context: TLSContext, as domain: String = laxDomain
  ) async throws -> HostileConnection {
    let peer = try await attacker(.clear)
    peer.send(Self.header(from: domain))
    try await peer.hear("</stream:features>")
    peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    try await peer.hear("<proceed")
    try await peer.hear("/>")
    try await peer.startTLS(context, serverName: "corp.test")
    return peer
  }

  /// A connection to the gateway's SIP side.
  package func sipAttacker(_ context: TLSContext) async throws -> HostileConnection {
    try await HostileConnection.open(
      gateway.configuration.platforms[0].listenPort, tls: context, serverName: "sip.gateway.test", on: loop)
  }
}
