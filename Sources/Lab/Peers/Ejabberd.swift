import Foundation

/// What an ejabberd is to be.
package struct EjabberdConfiguration: Sendable {
  package enum Authentication: Sendable {
    /// TLS and good certificates demanded, mod_s2s_dialback not loaded.
    case external
    /// Certificates where they are good, dialback else.
    case both
    /// No CA is believed, so dialback (over TLS) is all that is left.
    case dialback
  }

  package var domains: [String: Certificate]
  package var users: [String: String]
  package var authority: String
  package var dns: DNSServer
  package var authentication = Authentication.external
  /// off, optional, required; nil: what fits `authentication`.
  package var startTLS: String?
  /// Whether it listens for direct TLS. It dials so wherever DNS has `_xmpps-server`.
  package var directTLS = false
  package var components: [String] = []
  package var componentPassword = "secret"
  package var logLevel = "debug"

  package init(domains: [String: Certificate], users: [String: String], authority: String, dns: DNSServer) {
    self.domains = domains
    self.users = users
    self.authority = authority
    self.dns = dns
  }
}

/// A running ejabberd 23.01. It asks our name server for SRV records only and libc for addresses, so a domain that it
/// is to dial is entered with `dns.setXMPP(…, host: "localhost")`. Started without Erlang distribution: no epmd, no cookie, no port but its own.
package final class Ejabberd: @unchecked Sendable {
  package let name: String
  package let clientPort: Int
  package let serverPort: Int
  package let directTLSPort: Int
  package let componentPort: Int
  package private(set) var process: ChildProcess

  private let configuration: EjabberdConfiguration
  private let workspace: Workspace

  package init(
    _ configuration: EjabberdConfiguration, name: String = "ejabberd", in workspace: Workspace
  ) async throws {
    self.name = name
    self.workspace = workspace
    self.configuration = configuration
    clientPort = try Loopback.freePort()
    serverPort = try Loopback.freePort()
    directTLSPort = try Loopback.freePort()
    componentPort = try Loopback.freePort()
    try workspace.directory("\(name)/spool")
    try workspace.write(
      "\(name)/inetrc",
      // Erlang's own resolver, so that our name server is asked and nothing else. `resolv_conf` comes first: it
      // forgets the name servers named before it.
      """
      {resolv_conf, ""}.
      {hosts_file, ""}.
      {lookup, [dns]}.
      {nameserver, {127,0,0,1}, \(configuration.dns.port)}.
      {cache_size, 0}.

      """)
    let yaml = try configuration.yaml(
      clientPort: clientPort, serverPort: serverPort, directTLSPort: directTLSPort, componentPort: componentPort,
      folder: name, in: workspace)
    try workspace.write("\(name)/ejabberd.yml", yaml)
    for domain in configuration.domains.keys {
      configuration.dns.setXMPP(domain, port: serverPort, directTLS: configuration.directTLS ? directTLSPort : nil)
    }
    process = try Self.launch(name, configuration, workspace)
    try await ready()
  }

  package func restart() async throws {
    await process.stop()
    process = try Self.launch(name, configuration, workspace)
    try await ready()
  }

  /// What ejabberd logs through OTP's logger, beside what the Erlang machine prints.
  package var log: LogFile { LogFile(path: workspace.path("\(name)/ejabberd.log")) }

  private func ready() async throws {
    let (client, server) = (clientPort, serverPort)
    do {
      // Some ten seconds on an idle machine: it compiles its modules' configuration at start.
      try await process.waitUntilReady("listening port and its accounts", within: .seconds(120)) {
        process.log.contains("lab: accounts ready") && Loopback.isListening(client) && Loopback.isListening(server)
      }
    } catch {
      throw LabError("\(error)", log: log.tail(20))
    }
  }

  private static func launch(
    _ name: String, _ configuration: EjabberdConfiguration, _ workspace: Workspace
  ) throws -> ChildProcess {
    _ = try Tool.find("ejabberdctl", package: "ejabberd")
    let erl = try Tool.find("erl", package: "ejabberd")
    return try workspace.start(
      name: name, executable: erl.path,
      arguments: [
        "-noshell", "-noinput", "+K", "true", "-mnesia", "dir", "\"\(workspace.path("\(name)/spool"))\"", "-s",
        "ejabberd", "-eval",
        registration(configuration.users),
      ],
      environment: [
        "EJABBERD_CONFIG_PATH": workspace.path("\(name)/ejabberd.yml"),
        "EJABBERD_LOG_PATH": workspace.path("\(name)/ejabberd.log"),
        "ERL_INETRC": workspace.path("\(name)/inetrc"),
        "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
        "ERL_CRASH_DUMP": "/dev/null",
        "HOME": workspace.path(name),
      ])
  }

  /// Registers the accounts from inside, as soon as ejabberd is up; `-s` has returned by then.
  private static func registration(_ users: [String: String]) -> String {
    let calls = users.map { jid, password -> String in
      let at = jid.lastIndex(of: "@") ?? jid.startIndex
      let user = jid[..<at].utf8.map(String.init).joined(separator: ",")
      let domain = jid[jid.index(after: at)...]
      return "ejabberd_auth:try_register(<<\(user)>>, <<\"\(domain)\">>, <<\"\(password)\">>)"
    }
    return (["{ok, _} = application:ensure_all_started(ejabberd)"] + calls + ["io:format(\"lab: accounts ready~n\")"])
      .joined(separator: ", ") + "."
  }
}
