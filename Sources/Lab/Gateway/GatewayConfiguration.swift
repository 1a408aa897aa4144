/// A Drawbridge configuration as a test thinks of it; `toml` writes the file.
package struct GatewayConfiguration: Sendable {
  package struct Domain: Sendable {
    package var name: String
    package var platform: String
    package var certificate: Certificate

    package init(_ name: String, platform: String, certificate: Certificate) {
      self.name = name
      self.platform = platform
      self.certificate = certificate
    }
  }

  package struct Partner: Sendable {
    package var domain: String
    package var tls = "required"
    package var dialback = false
    /// Instead of DNS.
    package var address: String?
    package var port: Int?
    package var directTLS = false

    package init(_ domain: String) {
      self.domain = domain
    }
  }

  package struct Platform: Sendable {
    package enum Mode: String, Sendable { case page, session }

    package var name: String
    package var mode = Mode.page
    package var hostName: String
    package var nextHopPort: Int
    /// A name needs `trustedPeers` or a certificate for it.
    package var nextHop = "127.0.0.1"
    package var trustedPeers: [String] = []
    /// nil: TCP without encryption.
    package var certificate: Certificate?
    package var listenPort: Int
    package var listen = ["127.0.0.1"]
    /// Further keys, values in TOML.
    package var more: [String: String] = [:]

    package init(_ name: String, hostName: String, nextHopPort: Int, listenPort: Int) {
      self.name = name
      self.hostName = hostName
      self.nextHopPort = nextHopPort
      self.listenPort = listenPort
    }
  }

  package var domains: [Domain]
  package var partners: [Partner]
  package var platforms: [Platform]
  package var authority: String
  package var dns: DNSServer
  package var xmppPort: Int
  package var directTLSPort: Int
  package var metricsPort: Int
  package var logLevel = "debug"
  /// Where its readiness is asked; `/healthz` for one whose platform is never there.
  package var readiness = "/readyz"
  /// Further keys by section, values in TOML: `["queue": ["retry-minimum": "\"100ms\""]]`.
  package var more: [String: [String: String]] = [:]

  /// With free ports of its own.
  package init(
    domains: [Domain], partners: [Partner], platforms: [Platform], authority: String, dns: DNSServer
  ) throws {
    self.domains = domains
    self.partners = partners
    self.platforms = platforms
    self.authority = authority
    self.dns = dns
    xmppPort = try Loopback.freePort()
    directTLSPort = try Loopback.freePort()
    metricsPort = try Loopback.freePort()
  }

  /// - Parameter store: the directory of the store.
  func toml(store: String) -> String {
    var text = ""
    for domain in domains {
      text += section(
        "[[domain]]",
        [
          ("name", quoted(domain.name)), ("platform", quoted(domain.platform)),
          ("certificate", quoted(domain.certificate.certificate)), ("key", quoted(domain.certificate.key)),
        ])
    }
    for partner in partners {
      text += section(
        "[[partner]]",
        [
          ("domain", quoted(partner.domain)), ("tls", quoted(partner.tls)), ("dialback", "\(partner.dialback)"),
          ("address", partner.address.map(quoted)), ("port", partner.port.map { "\($0)" }),
          ("direct-tls", partner.directTLS ? "true" : nil),
        ])
    }
    for platform in platforms {
      text += section(
        "[[platform]]",
        [
          ("name", quoted(platform.name)), ("kind", quoted("sip")), ("mode", quoted(platform.mode.rawValue)),
          ("transport", quoted(platform.certificate == nil ? "tcp" : "tls")), ("host-name", quoted(platform.hostName)),
          ("next-hop", quoted(platform.nextHop)), ("next-hop-port", "\(platform.nextHopPort)"),
          ("listen", "[\(platform.listen.map(quoted).joined(separator: ", "))]"),
          ("listen-port", "\(platform.listenPort)"),
          ("certificate", platform.certificate.map { quoted($0.certificate) }),
          ("key", platform.certificate.map { quoted($0.key) }),
          (
            "trusted-peers",
            platform.trustedPeers.isEmpty ? nil : "[\(platform.trustedPeers.map(quoted).joined(separator: ", "))]"
          ),
        ] + platform.more.sorted { $0.key < $1.key }.map { ($0.key, Optional($0.value)) })
    }
    var sections: [String: [String: String]] = [
      "xmpp": ["listen": "[\"127.0.0.1\"]", "port": "\(xmppPort)", "direct-tls-port": "\(directTLSPort)"],
      "tls": ["ca": quoted(authority)], "dns": ["servers": "[\(quoted(dns.server))]"], "store": ["path": quoted(store)],
      "metrics": ["address": "\"127.0.0.1\"", "port": "\(metricsPort)"], "log": ["level": quoted(logLevel)],
    ]
    sections.merge(more) { own, added in own.merging(added) { $1 } }
    for (name, values) in sections.sorted(by: { $0.key < $1.key }) {
      text += section("[\(name)]", values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
    return text
  }

  private func section(_ title: String, _ values: [(String, String?)]) -> String {
    let lines = values.compactMap { key, value in value.map { "\(key) = \($0)" } }
    return ([title] + lines).joined(separator: "\n") + "\n\n"
  }

  private func quoted(_ text: String) -> String { "\"\(text)\"" }
}
