import Foundation

/// A certificate and its key, as the peers want them: PEM files.
package struct Certificate: Sendable {
  package let certificate: String
  package let key: String
}

/// What a certificate is to say.
package struct CertificateRequest: Sendable {
  package enum Validity: Sendable { case now, expired, notYet }
  package enum Purpose: String, Sendable {
    /// ejabberd 23.01 refuses a peer that lacks clientAuth.
    case both = "serverAuth,clientAuth"
    /// What public CAs issue since 2026.
    case server = "serverAuth"
    case client = "clientAuth"
  }

  package var commonName: String
  package var dnsNames: [String] = []
  /// SRVName `_xmpp-server.DOMAIN` (RFC 4985).
  package var serviceNames: [String] = []
  /// id-on-xmppAddr (RFC 6120 §13.7.1.4).
  package var xmppAddresses: [String] = []
  package var uris: [String] = []
  package var purpose = Purpose.both
  package var validity = Validity.now

  package init(commonName: String) {
    self.commonName = commonName
  }

  /// What an XMPP server wants, but for id-on-xmppAddr: at EXTERNAL with such a certificate ejabberd 23.01 crashes the
  /// stream (`badarg` in xmpp_stream_pkix:get_cert_domains) and the peer sees an end without a reason.
  package static func xmpp(_ domain: String) -> Self {
    var request = Self(commonName: domain)
    request.dnsNames = [domain]
    request.serviceNames = [domain]
    return request
  }

  /// What SIP servers mostly have: DNS names, the domain's and the hosts'.
  package static func sip(_ domain: String, hosts: [String] = []) -> Self {
    var request = Self(commonName: domain)
    request.dnsNames = [domain] + hosts
    return request
  }

  /// The domain as a SIP URI; DNS names beside it count no longer (RFC 5922 §7.1).
  package static func sipURI(_ domain: String, hosts: [String] = []) -> Self {
    var request = sip(domain, hosts: hosts)
    request.uris = ["sip:\(domain)"]
    return request
  }

  /// No subject alternative name at all.
  package static func commonNameOnly(_ domain: String) -> Self { Self(commonName: domain) }

  var alternativeNames: [String] {
    dnsNames.map { "DNS:\($0)" } + uris.map { "URI:\($0)" }
      + serviceNames.map { "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.\($0)" }
      + xmppAddresses.map { "otherName:1.3.6.1.5.5.7.8.5;UTF8:\($0)" }
  }
}

/// A CA made on the spot with the `openssl` program: ECDSA P-256, good for a day.
package final class CertificateAuthority: Sendable {
  package let name: String
  /// The root certificate, PEM.
  package let root: String

  private let workspace: Workspace
  private let openssl: Tool
  private let rootKey: String
  private let folder: String

  package init(name: String = "ca", in workspace: Workspace) async throws {
    self.name = name
    self.workspace = workspace
    openssl = try Tool.find("openssl", package: "openssl")
    folder = "certificates/\(name)"
    root = "\(try workspace.directory(folder))/root.pem"
    rootKey = workspace.path("\(folder)/root.key")
    try await openssl.run(
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", rootKey,
        "-out", root, "-days", "2", "-subj", "/CN=Drawbridge lab \(name)",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
      ], in: workspace)
    // `openssl ca`, the only command of OpenSSL 3.0 that sets both dates, wants a database.
    try workspace.write("\(folder)/index.txt", "")
    try workspace.write("\(folder)/ca.cnf", Self.configuration(folder: workspace.path(folder)))
  }

  /// - Parameter file: name of the files, without suffix; nil: the common name.
  package func issue(_ request: CertificateRequest, file: String? = nil) async throws -> Certificate {
    let stem = try await makeKey(request, file: file)
    let (start, end) = Self.dates(request.validity)
    try await openssl.run(
      [
        "ca", "-batch", "-notext", "-md", "sha256", "-policy", "any", "-config",
        workspace.path("\(folder)/ca.cnf"), "-cert", root, "-keyfile", rootKey, "-in", "\(stem).csr", "-out",
        "\(stem).pem", "-outdir", workspace.path(folder), "-startdate", start, "-enddate", end, "-extfile",
        "\(stem).ext", "-extensions", "leaf",
      ], in: workspace)
    return Certificate(certificate: "\(stem).pem", key: "\(stem).key")
  }

  /// What `issue` wrote under that name.
  package func files(_ name: String) -> Certificate {
    let stem = workspace.path("\(folder)/\(name)")
    return Certificate(certificate: "\(stem).pem", key: "\(stem).key")
  }

  /// Signed by nobody but itself.
  package func selfSigned(_ request: CertificateRequest, file: String? = nil) async throws -> Certificate {
    let stem = try await makeKey(request, file: file ?? "\(request.commonName)-self-signed")
    try await openssl.run(
      [
        "x509", "-req", "-in", "\(stem).csr", "-signkey", "\(stem).key", "-days", "2", "-sha256", "-extfile",
        "\(stem).ext", "-extensions", "leaf", "-out", "\(stem).pem",
      ], in: workspace)
    return Certificate(certificate: "\(stem).pem", key: "\(stem).key")
  }

  private func makeKey(_ request: CertificateRequest, file: String?) async throws -> String {
    let stem = "\(folder)/\(file ?? request.commonName)"
    let path = workspace.path(stem)
    var extensions = "[leaf]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=\(request.purpose.rawValue)\n"
    let names = request.alternativeNames
    if !names.isEmpty {
      extensions += "subjectAltName=@names\n[names]\n"
      var counts: [String: Int] = [:]
      for name in names {
        let parts = name.split(separator: ":", maxSplits: 1)
        let kind = String(parts[0])
        counts[kind, default: 0] += 1
        extensions += "\(kind).\(counts[kind, default: 1]) = \(parts[1])\n"
      }
    }
    try workspace.write("\(stem).ext", extensions)
    try await openssl.run(
      [
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(path).key",
        "-out", "\(path).csr", "-utf8", "-subj", "/CN=\(request.commonName)",
      ], in: workspace)
    return path
  }

  private static func dates(_ validity: CertificateRequest.Validity) -> (String, String) {
    let hour: TimeInterval = 3600
    let (start, end) =
      switch validity {
      case .now: (-hour, 24 * hour)
      case .expired: (-48 * hour, -24 * hour)
      case .notYet: (24 * hour, 48 * hour)
      }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "UTC")
    format.dateFormat = "yyyyMMddHHmmss'Z'"
    return (
      format.string(from: Date(timeIntervalSinceNow: start)), format.string(from: Date(timeIntervalSinceNow: end))
    )
  }

  private static func configuration(folder: String) -> String {
    """
    [ca]
    default_ca = lab
    [lab]
    database = \(folder)/index.txt
    unique_subject = no
    rand_serial = yes
    [any]
    commonName = supplied
    """
  }
}
