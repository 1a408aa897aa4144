import BrokerCore
import Foundation
import Lab
import Logging
import NIOCore
import NIOPosix
import SIPAdapter
import Testing
import Transport

/// Two adapters over real sockets, each the other's platform.
@Suite(.timeLimit(.minutes(1))) struct SIPLoopbackTests {
  @Test(arguments: [
    (SIPConfiguration.Transport.tcp, SIPConfiguration.Mode.page), (.tcp, .session), (.tls, .page), (.tls, .session),
  ])
  func aConversationCrosses(transport: SIPConfiguration.Transport, mode: SIPConfiguration.Mode) async throws {
    let pair = try await SIPAdapterPair(transport, mode)
    for index in 1...50 {
      pair.left.deliver("eins zwei \(index) 🙂", id: UInt64(index), from: "right.test", to: "left.test")
    }
    var received: [String] = []
    while received.count < 50 { received.append(try await pair.right.nextSubmission(.delivered).body) }
    #expect(received == (1...50).map { "eins zwei \($0) 🙂" })
    #expect(await pair.left.nextOutcomes(50) == (1...50).map { "delivered \($0)" })

    // And back, by way of the session where there is one.
    pair.right.deliver("zurück", id: 1, from: "left.test", to: "right.test")
    #expect(try await pair.left.nextSubmission(.stored).body == "zurück")
    #expect(await pair.right.nextOutcomes(1) == ["delivered 1"])

    pair.left.deliver("nobody", id: 99, from: "right.test", to: "left.test")
    _ = try await pair.right.nextSubmission(
      .refused(DeliveryError(.itemNotFound, text: "No such user.", detail: "secret")))
    #expect(await pair.left.nextOutcomes(1) == ["refused 99 item-not-found No such user."])
    try await pair.stop()
  }

  @Test func aPlatformWithAnotherNameIsLostForGood() async throws {
    let pair = try await SIPAdapterPair(.tls, .page, expected: "somebody.else.test", waits: false)
    for await event in pair.left.events {
      guard case .lost(_, let error, let permanence) = event else { continue }
      #expect(permanence == .permanent)
      #expect(error.detail.contains("not for"))
      break
    }
    try await pair.stop()
  }

  @Test func aPlatformThatGoesAndComesBack() async throws {
    let pair = try await SIPAdapterPair(.tcp, .page)
    try await pair.right.adapter.stop().get()
    for await event in pair.left.events { if case .lost = event { break } }
    try await pair.restartRight()
    for await event in pair.left.events { if case .reached = event { break } }
    pair.left.deliver("again", id: 7, from: "right.test", to: "left.test")
    #expect(try await pair.right.nextSubmission(.delivered).body == "again")
    try await pair.stop()
  }

  /// RFC 3263 §4.3: the first server takes connections and cannot do TLS.
  @Test func theNextServerIsTriedWhereOneIsOfNoUse() async throws {
    let useless = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { $0.close() }.bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(useless.localAddress?.port)
    let pair = try await SIPAdapterPair(.tls, .page, firstServer: port)
    pair.left.deliver("hello", id: 1, from: "right.test", to: "left.test")
    #expect(try await pair.right.nextSubmission(.delivered).body == "hello")
    try await pair.stop()
    try await useless.close()
  }
}

/// `left` serves left.test, `right` serves right.test: what one sends as a contact's the other takes as a user's.
private final class SIPAdapterPair {
  let left: SIPSide
  private(set) var right: SIPSide
  private let names: DNSServer
  private let resolver: Transport.Resolver
  private let rightConfiguration: SIPConfiguration

  init(
    _ transport: SIPConfiguration.Transport, _ mode: SIPConfiguration.Mode, expected: String = "sip.test",
    waits: Bool = true, firstServer: Int? = nil
  ) async throws {
    names = try DNSServer()
    var servers = ResolverConfiguration()
    servers.servers = .addresses([names.server])
    resolver = try Transport.Resolver(configuration: servers)
    let ports = (try Loopback.freePort(), try Loopback.freePort())
    func configuration(_ domain: String, port: Int, next: Int, peer: String) throws -> SIPConfiguration {
      var configuration = SIPConfiguration(
        adapter: AdapterID(domain), domains: [domain], mode: mode, transport: transport,
        nextHop: .init(host: "127.0.0.1", port: next), listenAddresses: ["127.0.0.1"], listenPort: port,
        localHost: "127.0.0.1", trustedPeers: [peer])
      if transport == .tls {
        let certificates = try SIPCertificates.shared.get()
        let options = TLSOptions()
        configuration.serverTLS = try .server(
          identities: [certificates.identity], trust: certificates.trust, options: options)
        configuration.clientTLS = try .client(
          identity: certificates.identity, trust: certificates.trust, options: options)
      }
      return configuration
    }
    rightConfiguration = try configuration("right.test", port: ports.1, next: ports.0, peer: "sip.test")
    right = try await SIPSide(rightConfiguration, resolver)
    var leftConfiguration = try configuration("left.test", port: ports.0, next: ports.1, peer: expected)
    if let firstServer {
      names.set("right.sip.test", [.a("127.0.0.1")])
      names.set(
        "_sips._tcp.sip.test",
        [firstServer, ports.1].enumerated().map {
          .srv(priority: $0.offset, weight: 0, port: $0.element, target: "right.sip.test")
        })
      leftConfiguration.nextHop = .init(host: "sip.test")
    }
    left = try await SIPSide(leftConfiguration, resolver)
    guard waits else { return }
    for side in [left, right] { for await event in side.events { if case .reached = event { break } } }
  }

  func restartRight() async throws { right = try await SIPSide(rightConfiguration, resolver) }

  func stop() async throws {
    try await left.adapter.stop().get()
    try await right.adapter.stop().get()
  }
}

/// An adapter and the script that stands where its broker stands.
private final class SIPSide {
  private final class Port: BrokerPort {
    let sink: AsyncStream<BrokerEvent>.Continuation
    init(_ sink: AsyncStream<BrokerEvent>.Continuation) { self.sink = sink }
    func submit(_ events: [BrokerEvent]) { for event in events { sink.yield(event) } }
  }

  let adapter: SIPAdapter
  let events: AsyncStream<BrokerEvent>

  init(_ configuration: SIPConfiguration, _ resolver: Transport.Resolver) async throws {
    let (stream, sink) = AsyncStream<BrokerEvent>.makeStream()
    events = stream
    var logger = Logger(label: "sip")
    logger.logLevel = .critical
    adapter = try await SIPAdapter.start(
      configuration, on: MultiThreadedEventLoopGroup.singleton.next(), broker: Port(sink), resolver: resolver,
      logger: logger
    ).get()
  }

  func deliver(_ body: String, id: UInt64, from: String, to: String) {
    let message = Message(
      id: "m\(id)", from: Address(user: "o'hara ü", domain: from), to: Address(user: "böb", domain: to), body: body)
    adapter.perform([
      .deliver(
        Entry(
          id: EntryID(rawValue: id), destination: Destination(adapter: AdapterID(to), domain: to),
          content: .message(message), accepted: Timestamp(milliseconds: 0), expires: Timestamp(milliseconds: .max)))
    ])
  }

  func nextSubmission(_ answer: Answer) async throws -> Message {
    for await event in events {
      guard case .submitted(let submission) = event else { continue }
      adapter.perform([.answer(submission.id, answer)])
      #expect(submission.message.from.user == "o'hara ü")
      #expect(submission.message.to.user == "böb")
      return submission.message
    }
    throw CancellationError()
  }

  func nextOutcomes(_ count: Int) async -> [String] {
    var outcomes: [String] = []
    for await event in events {
      switch event {
      case .delivered(let id): outcomes.append("delivered \(id.rawValue)")
      case .refused(let id, let error):
        outcomes.append("refused \(id.rawValue) \(error.condition.rawValue) \(error.text)")
      case .deferred(let ids, _): outcomes.append("deferred \(ids.map(\.rawValue))")
      default: continue
      }
      if outcomes.count == count { break }
    }
    return outcomes
  }
}

/// A certificate for `sip.test` and its authority, made with the openssl command.
private struct SIPCertificates: Sendable {
  static let shared = Result { try SIPCertificates() }
  let identity: TLSIdentity
  let trust: TrustStore

  private init() throws {
    let directory = NSTemporaryDirectory() + "drawbridge-sip-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
    for arguments in [
      "req -x509 \(key) -keyout ca.key -out ca.pem -subj /CN=ca",
      "req -x509 \(key) -keyout sip.key -out sip.pem -subj / -addext subjectAltName=DNS:sip.test -CA ca.pem -CAkey ca.key",
    ] {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
      process.arguments = arguments.split(separator: " ").map(String.init)
      process.currentDirectoryURL = URL(fileURLWithPath: directory)
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
    identity = try TLSIdentity(
      certificateFile: directory + "/sip.pem", keyFile: directory + "/sip.key", domains: ["sip.test"])
    trust = .file(directory + "/ca.pem")
  }
}
