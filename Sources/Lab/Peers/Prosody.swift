import Foundation

/// What a Prosody is to be. Everything that a test varies is a value here.
package struct ProsodyConfiguration: Sendable {
  /// How it lets other servers prove who they are.
  package enum Authentication: Sendable {
    /// Certificates only: `s2s_secure_auth`, mod_dialback not loaded.
    case external
    /// Certificates where they are good, dialback else.
    case both
    /// No certificate is believed (it is given no CA), so dialback is all that is left.
    case dialback
  }

  package var domains: [String: Certificate]
  /// Bare JIDs, as on the wire, and passwords.
  package var users: [String: String]
  /// PEM file of the CA it believes.
  package var authority: String
  package var dns: DNSServer
  package var authentication = Authentication.external
  package var requiresTLS = true
  /// Whether it listens for direct TLS (XEP-0368). It dials so wherever DNS has `_xmpps-server`.
  package var directTLS = false
  /// XEP-0198; on s2s Prosody acknowledges but cannot resume.
  package var streamManagement = true
  /// XEP-0114 components by name, with the password for all of them.
  package var components: [String] = []
  package var componentPassword = "secret"
  package var logLevel = "debug"
  /// Added to the global section.
  package var more = ""

  package init(domains: [String: Certificate], users: [String: String], authority: String, dns: DNSServer) {
    self.domains = domains
    self.users = users
    self.authority = authority
    self.dns = dns
  }
}

/// A running Prosody 0.12 on loopback ports of its own.
package final class Prosody: @unchecked Sendable {
  package let name: String
  package let clientPort: Int
  package let serverPort: Int
  package let directTLSPort: Int
  package let componentPort: Int
  package private(set) var process: ChildProcess

  private let workspace: Workspace
  private let executable: String
  private let configurationFile: String

  /// Starts it and waits until it listens; enters its domains in the DNS.
  package init(_ configuration: ProsodyConfiguration, name: String = "prosody", in workspace: Workspace) async throws {
    self.name = name
    self.workspace = workspace
    executable = try Tool.find("prosody", package: "prosody").path
    clientPort = try Loopback.freePort()
    serverPort = try Loopback.freePort()
    directTLSPort = try Loopback.freePort()
    componentPort = try Loopback.freePort()
    let data = try workspace.directory("\(name)/data")
    try Self.writeAccounts(configuration.users, in: "\(name)/data", workspace)
    let ports = Self.Ports(
      client: clientPort, server: serverPort, directTLS: directTLSPort, component: componentPort)
    configurationFile = try workspace.write(
      "\(name)/prosody.cfg.lua", configuration.lua(ports: ports, data: data))
    for domain in configuration.domains.keys {
      configuration.dns.setXMPP(
        domain, port: serverPort, directTLS: configuration.directTLS ? directTLSPort : nil)
    }
    process = try Self.launch(name, executable, configurationFile, workspace)
    try await ready()
  }

  /// After `process.kill()` or `process.stop()`: the same server again, same ports, same data.
  package func restart() async throws {
    await process.stop()
    process = try Self.launch(name, executable, configurationFile, workspace)
    try await ready()
  }

  private func ready() async throws {
    let (client, server) = (clientPort, serverPort)
    try await process.waitUntilReady("listening port", within: .seconds(20)) {
      Loopback.isListening(client) && Loopback.isListening(server)
    }
  }

  private static func launch(
    _ name: String, _ executable: String, _ file: String, _ workspace: Workspace
  ) throws -> ChildProcess {
    try workspace.start(name: name, executable: executable, arguments: ["--config", file, "-F"])
  }

  struct Ports {
    let client, server, directTLS, component: Int
  }

  /// What prosodyctl would write for `mod_auth_internal_plain`, without starting a Lua for each.
  private static func writeAccounts(_ users: [String: String], in folder: String, _ workspace: Workspace) throws {
    for (jid, password) in users {
      guard let at = jid.lastIndex(of: "@") else { throw LabError("\(jid) is no bare JID") }
      let (user, domain) = (encode(String(jid[..<at])), encode(String(jid[jid.index(after: at)...])))
      try workspace.write(
        "\(folder)/\(domain)/accounts/\(user).dat", "return {\n\t[\"password\"] = \"\(password)\";\n};\n")
    }
  }

  /// Prosody's file names: everything but ASCII letters and digits as %xx.
  private static func encode(_ text: String) -> String {
    text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      let plain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      return plain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
