import Foundation

/// linphonec 5.1, driven through its prompt: a SIP client that many people really use.
package final class Linphone: @unchecked Sendable {
  /// `sip:mercutio@corp.test`
  package let address: String
  package let process: ChildProcess

  /// Registers over TCP at the registrar on `port`.
  package init(_ user: String, domain: String, port: Int, in workspace: Workspace) async throws {
    address = "sip:\(user)@\(domain)"
    let tool = try Tool.find("linphonec", package: "linphone-cli")
    if access("/etc/protocols", R_OK) != 0 {
      throw LabError("/etc/protocols is missing; linphone needs it (apt install netbase)")
    }
    let home = try Self.prepare(user, domain: domain, port: port, in: workspace)
    process = try workspace.start(
      name: "linphone-\(user)", executable: tool.path, arguments: ["-c", "\(home)/linphonerc"],
      environment: ["HOME": home], wantsInput: true)
    // It says nothing of a registration unasked.
    let (process, log) = (process, process.log)
    var asked = ContinuousClock.now - .seconds(1)
    try await process.waitUntilReady("registration", within: .seconds(30)) {
      if log.contains("registered, identity") { return true }
      if ContinuousClock.now - asked >= .milliseconds(500) {
        asked = .now
        process.type("status register")
      }
      return false
    }
  }

  /// Writes what linphonec needs to be `user`; the directory is to be its HOME, with `linphonerc` in it.
  package static func prepare(
    _ user: String, domain: String, port: Int, in workspace: Workspace
  ) throws -> String {
    let (name, own) = ("linphone-\(user)", try Loopback.freePort())
    // Its message database lives there; it does not make the directory, and without the database it opens no port.
    try workspace.directory("\(name)/.local/share/linphone")
    // The route matters: without it linphone looks the domain of each addressee up in DNS.
    try workspace.write(
      "\(name)/linphonerc",
      """
      [sip]
      sip_port=\(own)
      sip_tcp_port=\(own)
      default_proxy=0
      register_only_when_network_is_up=0
      guess_hostname=0
      [proxy_0]
      reg_proxy=<sip:127.0.0.1:\(port);transport=tcp>
      reg_route=<sip:127.0.0.1:\(port);transport=tcp;lr>
      reg_identity=sip:\(user)@\(domain)
      reg_sendregister=1
      reg_expires=600
      publish=0
      [video]
      enabled=0
      [misc]
      network_monitor=0

      """)
    return workspace.path(name)
  }

  package func say(_ body: String, to: String) { process.type("chat \(to) \(body)") }

  /// Waits until its screen shows a message with this body.
  package func hear(_ body: String, within limit: Duration = .seconds(10)) async throws {
    let log = process.log
    try await process.waitUntilReady("message \"\(body)\"", within: limit) {
      log.lines(containing: "Message received").contains { $0.contains(body) } || log.contains(body)
    }
  }

  package func stop() async {
    process.type("quit")
    await process.stop()
  }
}
