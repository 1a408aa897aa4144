import Foundation
import NIOCore
import NIOPosix

/// A gateway between a played partner and a played platform, ready for load: certificates, DNS, configuration, ports.
package final class LoadStage {
  package static let partnerDomain = "partner.test"
  package static let corporateDomain = "corp.test"

  package let gateway: GatewayProcess
  package let partner: LoadPartner
  package let platform: LoadPlatform
  package let ports: TwoWayTraffic.Ports
  package let loop: any EventLoop
  /// Issued the certificates of all three; that of the partner bears its domain as file name.
  package let authority: CertificateAuthority
  private let group: MultiThreadedEventLoopGroup

  /// - Parameters:
  ///   - executable: nil: the one that was built with what runs now.
  ///   - adjust: last changes to the gateway's configuration.
  package init(
    in workspace: Workspace, logLevel: String = "warning", executable: String? = nil,
    adjust: (inout GatewayConfiguration) throws -> Void = { _ in }
  ) async throws {
    authority = try await CertificateAuthority(in: workspace)
    let partnerCertificate = try await authority.issue(.xmpp(Self.partnerDomain))
    var request = CertificateRequest(commonName: "platform.corp.test")
    request.dnsNames = ["platform.corp.test"]
    let platformCertificate = try await authority.issue(request)
    request = CertificateRequest(commonName: "sip.gateway.test")
    request.dnsNames = ["sip.gateway.test"]
    let gatewayCertificate = try await authority.issue(request)

    let partnerPort = try Loopback.freePort()
    let platformPort = try Loopback.freePort()
    var configured = GatewayConfiguration.Platform(
      "corp", hostName: "sip.gateway.test", nextHopPort: platformPort, listenPort: try Loopback.freePort())
    configured.trustedPeers = ["platform.corp.test"]
    configured.certificate = gatewayCertificate
    var known = GatewayConfiguration.Partner(Self.partnerDomain)
    known.address = "127.0.0.1"
    known.port = partnerPort
    var configuration = try GatewayConfiguration(
      domains: [
        .init(
          Self.corporateDomain, platform: "corp", certificate: try await authority.issue(.xmpp(Self.corporateDomain)))
      ], partners: [known], platforms: [configured], authority: authority.root, dns: try DNSServer())
    configuration.logLevel = logLevel
    try adjust(&configuration)

    ports = TwoWayTraffic.Ports(
      partner: partnerPort, platform: platformPort, gatewayXMPP: configuration.xmppPort,
      gatewaySIP: configured.listenPort)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    loop = group.next()
    partner = try LoadPartner(
      domain: Self.partnerDomain, peer: Self.corporateDomain, certificate: partnerCertificate,
      authority: authority.root, on: loop)
    platform = try LoadPlatform(
      host: "platform.corp.test", certificate: platformCertificate, authority: authority.root, on: loop)
    // The platform listens first: the gateway is ready when it answers.
    let (platform, partner, ports) = (platform, partner, ports)
    try await loop.flatSubmit {
      platform.listen(port: ports.platform).and(partner.listen(port: ports.partner)).map { _ in }
    }.get()
    gateway = try await GatewayProcess(configuration, executable: executable, in: workspace)
  }

  /// Opens the partner's stream and the platform's connection to the gateway.
  package func connect() async throws {
    let (platform, partner, ports) = (platform, partner, ports)
    try await loop.flatSubmit {
      let partnerUp = partner.loop.makePromise(of: Void.self)
      let platformUp = partner.loop.makePromise(of: Void.self)
      partner.onEstablished = { partnerUp.succeed() }
      partner.onOutClosed = { partnerUp.fail(LabError("the partner's stream ended: \($0)")) }
      platform.onConnected = { platformUp.succeed() }
      platform.onOutClosed = { platformUp.fail(LabError("the platform's connection ended: \($0)")) }
      partner.dial(port: ports.gatewayXMPP)
      platform.dial(port: ports.gatewaySIP, serverName: "sip.gateway.test")
      return partnerUp.futureResult.and(platformUp.futureResult).map { _ in }
    }.get()
  }

  package func close() async {
    let (platform, partner) = (platform, partner)
    try? await loop.submit {
      partner.onOutClosed = nil
      platform.onOutClosed = nil
      partner.close()
      platform.close()
    }.get()
    await gateway.stop()
    try? await group.shutdownGracefully()
  }
}
