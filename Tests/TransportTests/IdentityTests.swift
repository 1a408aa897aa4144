import Foundation
import Testing

@testable import Transport

@Suite struct IdentityTests {
  let certificates: Certificates

  init() throws { certificates = try Certificates.shared.get() }

  private func message(_ certificate: String, _ key: String) -> String {
    do {
      _ = try TLSIdentity(certificateFile: certificates.path(certificate), keyFile: certificates.path(key), domains: [])
      return "no error"
    } catch {
      return error.description.replacingOccurrences(of: certificates.directory + "/", with: "")
    }
  }

  @Test(arguments: [
    ("client.pem", "client.key", "no error"),
    ("missing.pem", "client.key", "missing.pem: No such file or directory"),
    ("client.pem", "missing.key", "missing.key: No such file or directory"),
    ("client.key", "client.key", "client.key: holds no certificate in PEM form"),
    ("client.pem", "client.pem", "client.pem: holds no private key in PEM form"),
    ("client.pem", "server.key", "server.key: the key does not belong to the certificate in client.pem"),
    ("client.pem", "locked.key", "locked.key: the private key is encrypted"),
  ])
  func loading(_ certificate: String, _ key: String, _ text: String) {
    #expect(message(certificate, key) == text)
  }

  @Test func weakKeysAreRefused() throws {
    let identity = try certificates.identity("weak")
    #expect(throws: TLSError.self) {
      try TLSContext.server(identities: [identity], trust: .none, options: TLSOptions())
    }
  }

  @Test func settingsAreChecked() throws {
    #expect(throws: TLSError("no such TLS cipher suites: nonsense (no cipher match)")) {
      try TLSContext.client(identity: nil, trust: .none, options: TLSOptions(ciphers: "nonsense"))
    }
    #expect(throws: TLSError("/nowhere: cannot be read, or holds no certificate in PEM form")) {
      try TLSContext.client(identity: nil, trust: .file("/nowhere"), options: TLSOptions())
    }
    #expect(throws: TLSError.self) { try TLSContext.server(identities: [], trust: .none, options: TLSOptions()) }
    #expect(throws: TLSError.self) {
      try TLSContext.client(identity: nil, trust: .none, options: TLSOptions(alpn: [""]))
    }
  }

  @Test func warnings() throws {
    let key = certificates.path("expired.key")
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
    let file = certificates.path("expired.pem")
    #expect(
      try certificates.identity("expired", domains: ["client.test", "Other.test"]).warnings == [
        "\(file): certificate expired on 2025-01-02",
        "\(file): certificate does not name other.test",
        "\(key): private key is readable by group or others",
      ])
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    #expect(try certificates.identity("expired").warnings == ["\(file): certificate expired on 2025-01-02"])
  }
}

@Suite struct NameMatchingTests {
  private func certificate(dns: [String] = [], uris: [String] = []) -> PeerCertificate {
    PeerCertificate(
      trust: .trusted, subject: "CN=example.com", issuer: "", notBefore: 0, notAfter: 0, sha256: "", dnsNames: dns,
      srvNames: [], xmppAddresses: [], uris: uris)
  }

  // RFC 6125 §6.4.3: only as the whole left-most label, for one label.
  @Test(arguments: [
    ("example.com", "example.com", true),
    ("example.com", "EXAMPLE.com", true),
    ("example.com", "a.example.com", false),
    ("*.example.com", "a.example.com", true),
    ("*.example.com", "a.b.example.com", false),
    ("*.example.com", "example.com", false),
    ("*.example.com", ".example.com", false),
    ("*.example.com", "*.example.com", false),
    ("f*.example.com", "foo.example.com", false),
    ("*", "com", false),
    ("*.com", "example.com", false),
    ("*.*.com", "a.b.com", false),
    ("a.*.com", "a.b.com", false),
    ("", "", false),
  ])
  func dnsID(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(certificate(dns: [pattern]).matchesHost(name) == matches)
  }

  // RFC 5922 §7.1, §7.2.
  @Test(
    arguments: [
      (["example.com"], [], "example.com", true),
      (["*.example.com"], [], "a.example.com", false),
      (["example.com"], ["sip:other.com"], "example.com", false),
      (["example.com"], ["sip:other.com"], "other.com", true),
      (["example.com"], ["sip:alice@other.com"], "example.com", true),
      (["example.com"], ["sip:alice@other.com"], "other.com", false),
      ([], ["SIP:Example.com:5061;transport=tls"], "example.com", true),
      ([], ["sips:example.com"], "example.com", false),
      ([], ["https://example.com"], "example.com", false),
      ([], ["sip:"], "", false),
    ] as [([String], [String], String, Bool)])
  func sip(_ dns: [String], _ uris: [String], _ domain: String, _ matches: Bool) {
    #expect(certificate(dns: dns, uris: uris).matchesSIP(domain: domain) == matches)
  }
}
