import Foundation

/// What a Kamailio is to be: registrar and proxy of the organisation, with a gateway as its trusted peer for all
/// other domains.
package struct KamailioConfiguration: Sendable {
  package enum GatewayTransport: Sendable {
    /// Mutual TLS: both sides show a certificate of `authority`.
    case tls
    case tcp
  }

  package var domain: String
  package var certificate: Certificate
  package var authority: String
  /// Where the gateway listens; requests for other domains go there.
  package var gatewayPort: Int
  package var gatewayTransport = GatewayTransport.tls
  /// The gateway's name, as in its Contact. Kamailio's own resolver cannot be pointed to another port than 53.
  package var gatewayHost: String?
  /// Users (as in the URI) that are reached on a fixed port over TCP instead of by registration: SIPp, and those whose
  /// names Kamailio's registrar refuses: it answers 400 to a REGISTER with `%C3%B6` in the user part.
  package var fixedUsers: [String: Int] = [:]
  /// How long Kamailio waits for a user agent's answer before it says 408.
  package var answerLimit = Duration.seconds(5)
  package var debug = 2

  package init(domain: String, certificate: Certificate, authority: String, gatewayPort: Int) {
    self.domain = domain
    self.certificate = certificate
    self.authority = authority
    self.gatewayPort = gatewayPort
  }
}

/// A running Kamailio 5.6 on loopback.
package final class Kamailio: @unchecked Sendable {
  package let name: String
  /// UDP and TCP, for user agents.
  package let port: Int
  /// For the gateway.
  package let tlsPort: Int
  package private(set) var process: ChildProcess

  private let workspace: Workspace
  private let executable: String
  private let arguments: [String]

  /// - Parameter ports: fixed ones, where the other side must know them first.
  package init(
    _ configuration: KamailioConfiguration, ports: (port: Int, tls: Int)? = nil, name: String = "kamailio",
    in workspace: Workspace
  ) async throws {
    self.name = name
    self.workspace = workspace
    executable = try Tool.find("kamailio", package: "kamailio kamailio-tls-modules").path
    // It reads the numbers of TCP and UDP there and drops TCP without a word if they are missing.
    if access("/etc/protocols", R_OK) != 0 {
      throw LabError("/etc/protocols is missing; Kamailio needs it (apt install netbase)")
    }
    port = try ports?.port ?? Loopback.freePort()
    tlsPort = try ports?.tls ?? Loopback.freePort()
    try workspace.directory("\(name)/run")
    let tls = try workspace.write("\(name)/tls.cfg", configuration.tlsProfiles)
    let file = try workspace.write(
      "\(name)/kamailio.cfg", configuration.script(port: port, tlsPort: tlsPort, profiles: tls))
    arguments = [
      "-f", file, "-DD", "-E", "-m", "32", "-M", "8", "-Y", workspace.path("\(name)/run"), "-w",
      workspace.path(name),
    ]
    process = try workspace.start(name: name, executable: executable, arguments: arguments)
    try await ready()
  }

  package func restart() async throws {
    await process.stop()
    process = try workspace.start(name: name, executable: executable, arguments: arguments)
    try await ready()
  }

  private func ready() async throws {
    let (port, tlsPort) = (port, tlsPort)
    try await process.waitUntilReady("listening port", within: .seconds(20)) {
      Loopback.isListening(port) && Loopback.isListening(tlsPort)
    }
  }
}
