extension ProsodyConfiguration {
  /// The configuration file.
  func lua(ports: Prosody.Ports, data: String) -> String {
    let trust = authentication == .dialback ? "" : "cafile = \(quoted(authority));"
    var modules = ["roster", "saslauth", "tls", "disco", "ping", "version", "iq", "message", "presence", "offline"]
    if authentication != .external { modules.append("dialback") }
    if streamManagement { modules.append("smacks") }
    var text = """
      pidfile = \(quoted("\(data)/prosody.pid"))
      data_path = \(quoted(data))
      certificates = \(quoted("\(data)/none"))
      -- A workspace of root's is readable by root only; the lab's Prosody serves loopback and ends with the lab.
      run_as_root = true
      plugin_server = ""
      use_ipv6 = false
      interfaces = { "127.0.0.1" }
      local_interfaces = { "127.0.0.1" }
      c2s_ports = { \(ports.client) }
      s2s_ports = { \(ports.server) }
      s2s_direct_tls_ports = { \(directTLS ? "\(ports.directTLS)" : "") }
      c2s_direct_tls_ports = {}
      component_ports = { \(components.isEmpty ? "" : "\(ports.component)") }
      modules_enabled = { \(modules.map(quoted).joined(separator: "; ")) }
      modules_disabled = { "s2s_bidi" }
      authentication = "internal_plain"
      storage = "internal"
      c2s_require_encryption = false
      allow_unencrypted_plain_auth = true
      s2s_require_encryption = \(requiresTLS)
      s2s_secure_auth = \(authentication == .external)
      -- No rate limits, no delayed retries: tests are faster than people.
      limits = {}
      log = { { levels = { min = \(quoted(logLevel)) }; to = "console" } }
      -- libunbound would not ask a server on loopback, nor anybody about .test (RFC 6761 §6.2).
      unbound = {
        resolvconf = false; hoststxt = false; forward = \(quoted(dns.server));
        options = { ["do-not-query-localhost:"] = "no"; ["local-zone:"] = "test. transparent" };
      }
      \(more)

      """
    for (domain, certificate) in domains.sorted(by: { $0.key < $1.key }) {
      let pair = "certificate = \(quoted(certificate.certificate)); key = \(quoted(certificate.key)); \(trust)"
      text += "s2s_direct_tls_ssl = { \(pair) }\n"
      text += "VirtualHost \(quoted(domain))\n  ssl = { \(pair) }\n"
    }
    for component in components {
      text += "Component \(quoted(component))\n  component_secret = \(quoted(componentPassword))\n"
    }
    return text
  }

  private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
