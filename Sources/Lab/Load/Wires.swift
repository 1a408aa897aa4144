/// The four wires between a gateway and its two sides, one for each direction of connecting, which can be cut.
package final class Wires: Sendable {
  package enum Side: String, CaseIterable, Sendable { case partner, platform }

  private let toGateway: [Side: TCPRelay]
  private let fromGateway: [Side: TCPRelay]
  private let gatewayPorts: [Side: Int]
  private let namespace: NetworkNamespace?
  /// For `TwoWayTraffic`.
  package let ports: TwoWayTraffic.Ports

  /// Puts them into the configuration of a gateway between one partner and one platform.
  /// - Parameter namespace: they lead through it, so that it can drop their packets.
  package init(_ configuration: inout GatewayConfiguration, through namespace: NetworkNamespace? = nil) throws {
    self.namespace = namespace
    guard let partnerPort = configuration.partners[0].port else { throw LabError("the partner has no fixed port") }
    let platformPort = configuration.platforms[0].nextHopPort
    let (xmpp, sip) = (configuration.xmppPort, configuration.platforms[0].listenPort)
    gatewayPorts = [.partner: xmpp, .platform: sip]
    let toPartner = try Self.fromGateway(to: partnerPort, namespace)
    let toPlatform = try Self.fromGateway(to: platformPort, namespace)
    fromGateway = [.partner: toPartner, .platform: toPlatform]
    configuration.partners[0].port = toPartner.port
    configuration.platforms[0].nextHopPort = toPlatform.port
    let (fromPartner, fromPlatform): (TCPRelay, TCPRelay)
    if let namespace {
      configuration.partners[0].address = namespace.inside
      configuration.platforms[0].nextHop = namespace.inside
      configuration.platforms[0].listen.append(namespace.outside)
      configuration.more["xmpp", default: [:]]["listen"] = "[\"127.0.0.1\", \"\(namespace.outside)\"]"
      fromPartner = try TCPRelay(
        from: .init(port: try Loopback.freePort()), to: .outside(namespace, port: xmpp))
      fromPlatform = try TCPRelay(from: .init(port: try Loopback.freePort()), to: .outside(namespace, port: sip))
    } else {
      (fromPartner, fromPlatform) = (try TCPRelay(to: xmpp), try TCPRelay(to: sip))
    }
    toGateway = [.partner: fromPartner, .platform: fromPlatform]
    ports = TwoWayTraffic.Ports(
      partner: partnerPort, platform: platformPort, gatewayXMPP: fromPartner.port, gatewaySIP: fromPlatform.port)
  }

  private static func fromGateway(to port: Int, _ namespace: NetworkNamespace?) throws -> TCPRelay {
    guard let namespace else { return try TCPRelay(to: port) }
    return try TCPRelay(from: .inside(namespace, port: try Loopback.freePort()), to: .init(port: port))
  }

  package func set(_ state: TCPRelay.State, _ side: Side) throws {
    try fromGateway[side]?.set(state)
    try toGateway[side]?.set(state)
  }

  /// Resets what is connected; new connections pass.
  package func cut(_ side: Side) {
    fromGateway[side]?.cut()
    toGateway[side]?.cut()
  }

  /// Loses all packets on the wires of these sides; with none, all pass again.
  package func drop(_ sides: [Side]) async throws {
    guard let namespace else { throw LabError("these wires lead through no namespace") }
    try await namespace.drop(ports: sides.flatMap { [fromGateway[$0]?.port, gatewayPorts[$0]].compactMap(\.self) })
  }
}
