import Foundation

@testable import Transport

/// A certification authority made with the openssl command when a test first asks for it, and certificates of every
/// kind that the tests need.
struct Certificates: Sendable {
  static let shared = Result { try Certificates() }

  let directory: String

  var ca: String { path("ca.pem") }
  var trust: TrustStore { .file(ca) }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  func identity(_ name: String, domains: [String] = []) throws -> TLSIdentity {
    try TLSIdentity(certificateFile: path("\(name).pem"), keyFile: path("\(name).key"), domains: domains)
  }

  private struct Kind {
    var name: String
    var extensions: String
    var commonName = ""
    var from = "20240101000000Z"
    var to = "20990101000000Z"
    var authority = "ca"
    var digest = "sha256"
  }

  private static let kinds = [
    Kind(name: "intermediate", extensions: "basicConstraints=critical,CA:true", commonName: "Test intermediate"),
    Kind(
      name: "server", extensions: "subjectAltName=DNS:server.test,DNS:*.wild.test\nextendedKeyUsage=serverAuth"),
    Kind(name: "second", extensions: "subjectAltName=DNS:second.test"),
    Kind(name: "client", extensions: "subjectAltName=DNS:client.test"),
    Kind(name: "clientonly", extensions: "subjectAltName=DNS:client.test\nextendedKeyUsage=clientAuth"),
    Kind(name: "expired", extensions: "subjectAltName=DNS:client.test", to: "20250102000000Z"),
    Kind(name: "early", extensions: "subjectAltName=DNS:client.test", from: "20980304000000Z"),
    Kind(name: "cnonly", extensions: "basicConstraints=CA:false", commonName: "client.test"),
    Kind(name: "foreign", extensions: "subjectAltName=DNS:client.test", authority: "otherca"),
    Kind(
      name: "names",
      extensions: """
        subjectAltName=@names
        [names]
        otherName.1=1.3.6.1.5.5.7.8.5;UTF8:Xmpp.Test
        otherName.2=1.3.6.1.5.5.7.8.7;IA5:_xmpp-server.srv.test
        URI.1=sip:sip.test
        URI.2=sip:alice@user.test
        DNS.1=Dns.Test
        """),
    // SEQUENCE { [2] "client.test\0.evil.test" }
    Kind(
      name: "nul", extensions: "subjectAltName=DER:301782" + "15" + "636c69656e742e7465737400" + "2e6576696c2e74657374"),
    Kind(name: "sha1", extensions: "subjectAltName=DNS:client.test", digest: "sha1"),
    // Issued by a certificate that is no authority.
    Kind(name: "usurped", extensions: "subjectAltName=DNS:client.test", authority: "server"),
    Kind(
      name: "limited",
      extensions: "basicConstraints=critical,CA:true\nnameConstraints=critical,permitted;DNS:other.test",
      commonName: "Limited"),
    Kind(name: "outside", extensions: "subjectAltName=DNS:client.test", authority: "limited"),
    Kind(name: "chained", extensions: "subjectAltName=DNS:client.test", authority: "intermediate"),
  ]

  /// Removed when the tests end. One process makes one.
  private static let temporary = NSTemporaryDirectory() + "drawbridge-transport-" + UUID().uuidString

  private init() throws {
    directory = Self.temporary
    atexit { try? FileManager.default.removeItem(atPath: Certificates.temporary) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for authority in ["ca", "otherca"] {
      try openssl("ecparam -name prime256v1 -genkey -noout -out \(path(authority)).key")
      try openssl(
        "req -x509 -new -key \(path(authority)).key -out \(path(authority)).pem -days 3650 -subj /CN=Test-\(authority)")
    }
    try openssl("req -x509 -newkey rsa:1024 -nodes -keyout weak.key -out weak.pem -days 30 -subj /CN=weak")
    try openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout selfsigned.key -out selfsigned.pem -days 30"
        + " -subj /CN=self -addext subjectAltName=DNS:client.test")
    for kind in Self.kinds { try issue(kind) }
    try chain("chained", "intermediate", to: "fullchain")
    try chain("usurped", "server", to: "usurpedchain")
    try chain("outside", "limited", to: "outsidechain")
    try openssl("ec -in \(path("client.key")) -aes128 -passout pass:secret -out \(path("locked.key"))")
  }

  private func url(_ name: String) -> URL { URL(fileURLWithPath: path(name)) }

  /// A chain file, leaf first, with the leaf's key.
  private func chain(_ leaf: String, _ issuer: String, to name: String) throws {
    let text = try Data(contentsOf: url("\(leaf).pem")) + Data(contentsOf: url("\(issuer).pem"))
    try text.write(to: url("\(name).pem"))
    try FileManager.default.copyItem(at: url("\(leaf).key"), to: url("\(name).key"))
  }

  private func issue(_ kind: Kind) throws {
    let authority = kind.authority
    try """
    [ca]
    default_ca = x
    [x]
    database = \(path("\(kind.name).index"))
    serial = \(path("\(kind.name).serial"))
    new_certs_dir = \(directory)
    default_md = \(kind.digest)
    policy = p
    [p]
    commonName = optional
    [req]
    distinguished_name = dn
    [dn]
    """.write(toFile: path("\(kind.name).conf"), atomically: true, encoding: .utf8)
    try "".write(toFile: path("\(kind.name).index"), atomically: true, encoding: .utf8)
    try String(Int.random(in: 0x1000_0000...0x7FFF_FFFF), radix: 16).write(
      toFile: path("\(kind.name).serial"), atomically: true, encoding: .utf8)
    try kind.extensions.write(toFile: path("\(kind.name).ext"), atomically: true, encoding: .utf8)
    try openssl("ecparam -name prime256v1 -genkey -noout -out \(kind.name).key")
    let subject = kind.commonName.isEmpty ? kind.name : kind.commonName
    try openssl(["req", "-new", "-key", "\(kind.name).key", "-out", "\(kind.name).csr", "-subj", "/CN=\(subject)"])
    try openssl(
      "ca -batch -notext -config \(kind.name).conf -in \(kind.name).csr -out \(kind.name).pem -cert \(authority).pem"
        + " -keyfile \(authority).key -startdate \(kind.from) -enddate \(kind.to) -extfile \(kind.name).ext")
  }

  private func openssl(_ line: String) throws { try openssl(line.split(separator: " ").map(String.init)) }

  private func openssl(_ arguments: [String]) throws {
    let result = try run("openssl", arguments, in: directory)
    guard result.status == 0 else {
      throw CommandFailed(command: arguments.joined(separator: " "), output: result.text)
    }
  }
}

struct CommandFailed: Error {
  var command: String
  var output: String
}

/// Runs a command to its end.
@discardableResult
func run(
  _ command: String, _ arguments: [String], in directory: String? = nil, input: String = "", closesInput: Bool = true
) throws -> (status: Int32, text: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [command] + arguments
  if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
  let (stdin, output) = (Pipe(), Pipe())
  process.standardInput = stdin
  process.standardOutput = output
  process.standardError = output
  try process.run()
  stdin.fileHandleForWriting.write(Data(input.utf8))
  if closesInput { try stdin.fileHandleForWriting.close() }
  let text = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: text, as: UTF8.self))
}
