/// A certificate and what could be proved about it. Whether it is good enough is the owner's decision.
package struct PeerCertificate: Hashable, Sendable {
  package enum Trust: Hashable, Sendable {
    /// The chain ends in the trust store and every certificate of it is valid now, for any purpose.
    case trusted
    /// The reason is for the operator, as in `certificate expired on 2026-01-02`.
    case untrusted(String)
  }

  package var trust: Trust
  /// Distinguished names as in RFC 2253. For people: no decision rests on them (RFC 9525 §2: the CN is never used).
  package var subject: String
  package var issuer: String
  /// Seconds since 1970.
  package var notBefore: Int64
  package var notAfter: Int64
  /// Of the DER form, in hexadecimal.
  package var sha256: String
  // From subjectAltName, in lower case except the URIs.
  package var dnsNames: [String]
  /// SRV-ID (RFC 4985): `_xmpp-server.example.com`.
  package var srvNames: [String]
  /// XmppAddr (RFC 6120 §13.7.1.4).
  package var xmppAddresses: [String]
  package var uris: [String]

  package var isTrusted: Bool { trust == .trusted }

  package init(
    trust: Trust, subject: String, issuer: String, notBefore: Int64, notAfter: Int64, sha256: String,
    dnsNames: [String] = [], srvNames: [String] = [], xmppAddresses: [String] = [], uris: [String] = []
  ) {
    self.trust = trust
    self.subject = subject
    self.issuer = issuer
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.sha256 = sha256
    self.dnsNames = dnsNames
    self.srvNames = srvNames
    self.xmppAddresses = xmppAddresses
    self.uris = uris
  }
}

extension PeerCertificate {
  /// Whether the certificate names an XMPP server domain: XmppAddr, SRV-ID or DNS-ID (RFC 6120 §13.7.1.2). Says nothing
  /// about trust. `domain` as an A-label.
  package func matchesXMPP(domain: String) -> Bool {
    let domain = domain.lowercased()
    guard !domain.isEmpty else { return false }
    return xmppAddresses.contains(domain) || srvNames.contains("_xmpp-server.\(domain)") || matchesHost(domain)
  }

  /// Whether the certificate names a SIP domain: its `sip:` URIs, or where there is none its DNS-IDs, without
  /// wildcards (RFC 5922 §7.1, §7.2). Says nothing about trust.
  package func matchesSIP(domain: String) -> Bool {
    let domain = domain.lowercased()
    guard !domain.isEmpty else { return false }
    let hosts = uris.compactMap(Self.sipDomain)
    return hosts.isEmpty ? dnsNames.contains(domain) : hosts.contains(domain)
  }

  /// Whether a DNS-ID names the host: exactly, or with `*` as its whole left-most label (RFC 6125 §6.4.3).
  package func matchesHost(_ name: String) -> Bool {
    let name = name.lowercased()
    return !name.isEmpty && dnsNames.contains { Self.matches(pattern: $0, name: name) }
  }

  static func matches(pattern: String, name: String) -> Bool {
    if pattern == name { return !pattern.utf8.contains(UInt8(ascii: "*")) }
    guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
    let parent = pattern.dropFirst(2)
    // `*` stands for one label, and never for all names under a top-level domain.
    return parent.contains(".") && !parent.contains("*") && name[..<dot] != "" && name[dot...].dropFirst() == parent
  }

  /// The domain that a `sip:` URI without a user part stands for (RFC 5922 §7.1).
  static func sipDomain(of uri: String) -> String? {
    let uri = uri.lowercased()
    guard uri.hasPrefix("sip:"), !uri.contains("@") else { return nil }
    let host = uri.dropFirst(4).prefix { $0 != ":" && $0 != ";" && $0 != "?" }
    return host.isEmpty ? nil : String(host)
  }
}
