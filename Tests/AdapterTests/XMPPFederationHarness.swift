import BrokerCore
import Foundation
import Lab
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Transport
import XMPPAdapter
import XMPPCore

/// Certificates for `corp.test` and `partner.test`, and one that nobody trusts.
struct XMPPCertificates: Sendable {
  static let shared = Result { try XMPPCertificates() }
  let directory: String

  init() throws {
    directory = NSTemporaryDirectory() + "drawbridge-xmpp-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    try openssl("req -x509 \(key) -keyout ca.key -out ca.pem -days 30 -subj /CN=ca")
    for domain in ["corp.test", "partner.test"] {
      let names = "-subj / -addext subjectAltName=DNS:\(domain)"
      try openssl(
        "req -x509 \(key) -keyout \(domain).key -out \(domain).pem -days 30 \(names) -CA ca.pem -CAkey ca.key")
      try openssl("req -x509 \(key) -keyout self-\(domain).key -out self-\(domain).pem -days 30 \(names)")
    }
  }

  func identity(_ domain: String, trusted: Bool) throws -> TLSIdentity {
    let name = trusted ? domain : "self-\(domain)"
    return try TLSIdentity(
      certificateFile: "\(directory)/\(name).pem", keyFile: "\(directory)/\(name).key", domains: [domain])
  }

  var trust: TrustStore { .file("\(directory)/ca.pem") }

  private func openssl(_ arguments: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}

/// Stands where the broker stands: keeps what it is told and answers submissions as told to.
final class ScriptedBroker: BrokerPort {
  private struct State {
    var adapter: XMPPAdapter?
    var answer: @Sendable (Submission) -> Answer? = { _ in .stored }
  }

  private let state = Mutex(State())
  let events: AsyncStream<BrokerEvent>
  private let continuation: AsyncStream<BrokerEvent>.Continuation

  init() { (events, continuation) = AsyncStream.makeStream() }

  func submit(_ events: [BrokerEvent]) {
    for event in events {
      continuation.yield(event)
      guard case .submitted(let submission) = event else { continue }
      state.withLock { state in
        if let answer = state.answer(submission) { state.adapter?.perform([.answer(submission.id, answer)]) }
      }
    }
  }

  func attach(_ adapter: XMPPAdapter, answer: @escaping @Sendable (Submission) -> Answer?) {
    state.withLock {
      $0.adapter = adapter
      $0.answer = answer
    }
  }
}

struct SilentObserver: XMPPAdapterObserver {
  func stanza(_ kind: Stanza.Kind, _ direction: StreamDirection, _ result: StanzaResult, partner: String) {}
  func streamOpened(_ direction: StreamDirection, partner: String, method: AuthenticationMethod) {}
  func streamClosed(_ direction: StreamDirection, partner: String, method: AuthenticationMethod) {}
  func streamFailed(partner: String, stage: StreamFailure.Stage) {}
  func inboundFailed(partner: String?, condition: StreamError.Condition) {}
  func connectionRefused(limit: String) {}
}

/// One gateway's XMPP side, for one domain, on loopback.
struct XMPPSide {
  let domain: String
  let adapter: XMPPAdapter
  let broker: ScriptedBroker
  let port: Int

  struct Options: Sendable {
    var trusted = true
    var directTLS = false
    var limits = XMPPLimits()
    var answer: @Sendable (Submission) -> Answer? = { _ in .stored }
  }

  static func start(_ domain: String, _ options: Options = Options()) async throws -> XMPPSide {
    let certificates = try XMPPCertificates.shared.get()
    let identity = try certificates.identity(domain, trusted: options.trusted)
    let tls = TLSOptions(alpn: ["xmpp-server"])
    let broker = ScriptedBroker()
    let configuration = XMPPConfiguration(
      adapter: AdapterID("xmpp"),
      domains: [
        XMPPConfiguration.Domain(
          name: domain, clientTLS: try TLSContext.client(identity: identity, trust: certificates.trust, options: tls))
      ],
      serverTLS: try TLSContext.server(identities: [identity], trust: certificates.trust, options: tls),
      listeners: [
        XMPPConfiguration.ListenAddress(
          address: "127.0.0.1", port: try Loopback.freePort(), directTLS: options.directTLS)
      ],
      partners: [], limits: options.limits,
      software: ServerQueries(softwareName: "Drawbridge", softwareVersion: "test"))
    let adapter = try await XMPPAdapter.start(
      configuration, on: MultiThreadedEventLoopGroup.singleton.next(), broker: broker, resolver: try Resolver(),
      observer: SilentObserver(), logger: Logger(label: domain) { _ in SwiftLogNoOpLogHandler() }
    ).get()
    broker.attach(adapter, answer: options.answer)
    return XMPPSide(
      domain: domain, adapter: adapter, broker: broker, port: try await adapter.listeningPorts().get()[0])
  }

  func federate(with other: XMPPSide, _ policy: StreamPolicy = StreamPolicy(), directTLS: Bool = false) {
    federate(with: other.domain, port: other.port, policy, directTLS: directTLS)
  }

  func federate(with domain: String, port: Int, _ policy: StreamPolicy = StreamPolicy(), directTLS: Bool = false) {
    adapter.replace(partners: [
      XMPPConfiguration.Partner(
        domain: domain, policy: policy,
        server: XMPPConfiguration.Partner.Server(host: "127.0.0.1", port: port, directTLS: directTLS))
    ])
  }

  func deliver(_ numbers: some Sequence<UInt64>, to domain: String, body: String = "hello") {
    adapter.perform(
      numbers.map { number in
        .deliver(
          Entry(
            id: EntryID(rawValue: number), destination: Destination(adapter: AdapterID("xmpp"), domain: domain),
            content: .message(
              Message(
                id: "m\(number)", from: Address(user: "a'b", domain: self.domain),
                to: Address(user: "bob", domain: domain), body: body)),
            accepted: Timestamp(milliseconds: 0), expires: Timestamp(milliseconds: .max)))
      })
  }

  /// The events up to the first for which `isLast` holds, that one included.
  func events(until isLast: (BrokerEvent) -> Bool) async -> [BrokerEvent] {
    var seen: [BrokerEvent] = []
    for await event in broker.events {
      seen.append(event)
      if isLast(event) { break }
    }
    return seen
  }
}

extension BrokerEvent {
  var delivered: UInt64? { if case .delivered(let id) = self { id.rawValue } else { nil } }
  var submission: Submission? { if case .submitted(let submission) = self { submission } else { nil } }
  var refusal: (UInt64, DeliveryError)? {
    if case .refused(let id, let error) = self { (id.rawValue, error) } else { nil }
  }
  var deferred: [UInt64]? { if case .deferred(let ids, _) = self { ids.map(\.rawValue) } else { nil } }
  var loss: (DeliveryError, Permanence)? {
    if case .lost(_, let error, let permanence) = self { (error, permanence) } else { nil }
  }
}
