/// The usual arrangement: a partner's server for `partner.test`, Kamailio for `corp.test`, Drawbridge between them, all
/// on loopback with one CA and one name server. Tests change what they are about and leave the rest.
package final class Stage: @unchecked Sendable {
  package static let partnerDomain = "partner.test"
  package static let domain = "corp.test"

  package enum Identity: Sendable {
    /// SASL EXTERNAL: certificates of the CA that both sides believe.
    case external
    /// Neither side believes the other's certificate; dialback it is.
    case dialback
  }

  package struct Plan: Sendable {
    package var identity = Identity.external
    /// Whether both listen for direct TLS and DNS says so; else STARTTLS.
    package var directTLS = false
    /// JIDs and passwords at the partner's.
    package var users = ["juliet@partner.test": "juliet"]
    /// What the partner's server shows instead of a good certificate.
    package var partnerCertificate: (@Sendable (CertificateAuthority, Workspace) async throws -> Certificate)?
    /// What the gateway shows to partners instead.
    package var domainCertificate: (@Sendable (CertificateAuthority) async throws -> Certificate)?
    /// How the gateway speaks to the platform.
    package var mode = GatewayConfiguration.Platform.Mode.page
    package var platformTransport = KamailioConfiguration.GatewayTransport.tls
    package var prosody: @Sendable (inout ProsodyConfiguration) -> Void = { _ in }
    package var ejabberd: @Sendable (inout EjabberdConfiguration) -> Void = { _ in }
    package var kamailio: @Sendable (inout KamailioConfiguration) -> Void = { _ in }
    package var gateway: @Sendable (inout GatewayConfiguration) -> Void = { _ in }
    /// Told before each step; for people who wait.
    package var announce: @Sendable (String) -> Void = { _ in }

    package init() {}
  }

  package let workspace: Workspace
  package let dns: DNSServer
  package let authority: CertificateAuthority
  package let prosody: Prosody?
  package let ejabberd: Ejabberd?
  package let kamailio: Kamailio
  package let gateway: GatewayProcess

  package enum Partner: Sendable { case prosody, ejabberd }

  /// Starts everything; what was started is in `workspace`, whose `close` stops it.
  package init(_ plan: Plan = Plan(), partner: Partner = .prosody, in workspace: Workspace) async throws {
    self.workspace = workspace
    plan.announce("making a certificate authority and certificates")
    dns = try DNSServer()
    authority = try await CertificateAuthority(in: workspace)
    let trusted = plan.identity == .external
    let partnerAuthority =
      trusted ? authority : try await CertificateAuthority(name: "strangers", in: workspace)
    let partnerCertificate: Certificate
    if let special = plan.partnerCertificate {
      partnerCertificate = try await special(partnerAuthority, workspace)
    } else {
      partnerCertificate = try await partnerAuthority.issue(.xmpp(Self.partnerDomain))
    }

    switch partner {
    case .prosody:
      plan.announce("starting Prosody, the XMPP server of \(Self.partnerDomain)")
      var configuration = ProsodyConfiguration(
        domains: [Self.partnerDomain: partnerCertificate], users: plan.users, authority: authority.root, dns: dns)
      configuration.authentication = trusted ? .external : .dialback
      configuration.directTLS = plan.directTLS
      plan.prosody(&configuration)
      prosody = try await Prosody(configuration, in: workspace)
      ejabberd = nil
    case .ejabberd:
      plan.announce("starting ejabberd, the XMPP server of \(Self.partnerDomain)")
      var configuration = EjabberdConfiguration(
        domains: [Self.partnerDomain: partnerCertificate], users: plan.users, authority: authority.root, dns: dns)
      configuration.authentication = trusted ? .external : .dialback
      configuration.directTLS = plan.directTLS
      plan.ejabberd(&configuration)
      ejabberd = try await Ejabberd(configuration, in: workspace)
      prosody = nil
    }

    plan.announce("starting Kamailio, the SIP platform of \(Self.domain)")
    let (sipPort, userPort, peerPort) = try (Loopback.freePort(), Loopback.freePort(), Loopback.freePort())
    let proxy = "proxy.\(Self.domain)"
    dns.set(proxy, [.a(Loopback.address)])
    var platform = KamailioConfiguration(
      domain: Self.domain, certificate: try await authority.issue(.sip(Self.domain, hosts: [proxy]), file: proxy),
      authority: authority.root, gatewayPort: sipPort)
    platform.gatewayHost = "gateway.\(Self.domain)"
    platform.gatewayTransport = plan.platformTransport
    plan.kamailio(&platform)
    kamailio = try await Kamailio(platform, ports: (userPort, peerPort), in: workspace)

    plan.announce("starting drawbridge")
    var side = GatewayConfiguration.Platform(
      "kamailio", hostName: "gateway.\(Self.domain)", nextHopPort: peerPort, listenPort: sipPort)
    side.mode = plan.mode
    switch plan.platformTransport {
    case .tls:
      side.nextHop = proxy
      side.certificate = try await authority.issue(.sip("gateway.\(Self.domain)"))
    case .tcp:
      side.nextHopPort = userPort
    }
    var peer = GatewayConfiguration.Partner(Self.partnerDomain)
    peer.dialback = !trusted
    let domainCertificate =
      if let special = plan.domainCertificate { try await special(authority) } else {
        try await authority.issue(.xmpp(Self.domain))
      }
    var configuration = try GatewayConfiguration(
      domains: [.init(Self.domain, platform: side.name, certificate: domainCertificate)],
      partners: [peer], platforms: [side], authority: authority.root, dns: dns)
    plan.gateway(&configuration)
    gateway = try await GatewayProcess(
      configuration, directTLS: plan.directTLS, host: partner == .ejabberd ? "localhost" : nil, in: workspace)
  }

  /// Logs a user of the plan in at the partner's.
  package func xmppUser(_ name: String = "juliet", password: String? = nil) async throws -> XMPPUser {
    guard let port = prosody?.clientPort ?? ejabberd?.clientPort else { throw LabError("no partner's server") }
    return try await XMPPUser("\(name)@\(Self.partnerDomain)", password: password ?? name, port: port)
  }

  /// Registers a user at the platform.
  package func sipUser(
    _ name: String = "romeo", over transport: SIPUser.Transport = .udp, fixedPort: Int? = nil
  ) async throws -> SIPUser {
    try await SIPUser(name, domain: Self.domain, port: kamailio.port, over: transport, fixedPort: fixedPort)
  }

  /// The last lines of every log, for the text of a failure.
  package func logs(_ count: Int = 12) -> [String] {
    var files = [("drawbridge", gateway.log), ("kamailio", kamailio.process.log)]
    if let prosody { files.append(("prosody", prosody.process.log)) }
    if let ejabberd { files.append(("ejabberd", ejabberd.log)) }
    return files.flatMap { name, file in ["-- \(name): \(file.path)"] + file.tail(count) }
  }
}
