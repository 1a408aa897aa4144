import Foundation

extension EjabberdConfiguration {
  func yaml(
    clientPort: Int, serverPort: Int, directTLSPort: Int, componentPort: Int, folder: String, in workspace: Workspace
  ) throws -> String {
    // ejabberd wants certificate and key in one file, and refuses a CA file that is not there.
    let files = try domains.map { domain, certificate -> String in
      let both = try [certificate.certificate, certificate.key].map { try String(contentsOfFile: $0, encoding: .utf8) }
      return try workspace.write("\(folder)/\(domain).pem", both.joined())
    }
    // It refuses an empty CA file; its own certificate signs nobody's.
    let nobody = files.first ?? authority
    let required = startTLS ?? "required"
    var listeners = """
        - {port: \(clientPort), ip: "127.0.0.1", module: ejabberd_c2s, starttls: false, access: all}
        - {port: \(serverPort), ip: "127.0.0.1", module: ejabberd_s2s_in}

      """
    if directTLS {
      listeners += "  - {port: \(directTLSPort), ip: \"127.0.0.1\", module: ejabberd_s2s_in, tls: true}\n"
    }
    if !components.isEmpty {
      let hosts = components.map { "\"\($0)\": {password: \"\(componentPassword)\"}" }.joined(separator: ", ")
      listeners += """
          - {port: \(componentPort), ip: "127.0.0.1", module: ejabberd_service, access: all, hosts: {\(hosts)}}

        """
    }
    return """
      loglevel: \(logLevel)
      log_rotate_count: 0
      hosts: [\(domains.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", "))]
      certfiles: [\(files.map { "\"\($0)\"" }.joined(separator: ", "))]
      ca_file: "\(authentication == .dialback ? nobody : authority)"
      s2s_cafile: "\(authentication == .dialback ? nobody : authority)"
      s2s_use_starttls: \(required)
      s2s_dns_timeout: 3
      s2s_max_retry_delay: 1
      outgoing_s2s_families: [ipv4]
      auth_password_format: plain
      disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2"]
      listen:
      \(listeners)
      modules:
        mod_disco: {}
        mod_ping: {}
        mod_roster: {}
        mod_offline: {}
        mod_stream_mgmt: {}
        mod_version: {}
      \(authentication == .external ? "" : "  mod_s2s_dialback: {}")

      """
  }
}
