import Logging
import NIOCore
import Transport
import XMPPCore

/// Opens one stream to a partner: finds its servers, connects to them in turn and negotiates. A server that cannot
/// prove the partner's name, or does not want us, does not end the attempt while there is another one (XEP-0487 §5
/// asks the same of its clients). Ends by one call of `completion`.
final class PartnerDial: OutboundConnectionOwner {
  enum Outcome {
    case established(OutboundConnection, AuthenticationMethod)
    /// Only for `Purpose.verification`.
    case verified(DialbackOutcome)
    case failed(StreamFailure)
  }

  private unowned let federation: Federation
  private let pair: DomainPair
  private let purpose: OutboundEnvironment.Purpose
  private let partner: XMPPConfiguration.Partner
  private var completion: ((Outcome) -> Void)?
  private var remaining: [Endpoint] = []
  private var current: OutboundConnection?
  private var tryExternal = true
  private var failures: [StreamFailure] = []
  private let deadline: StreamTime

  init(
    _ pair: DomainPair, purpose: OutboundEnvironment.Purpose = .stanzas, partner: XMPPConfiguration.Partner,
    federation: Federation, completion: @escaping (Outcome) -> Void
  ) {
    self.pair = pair
    self.purpose = purpose
    self.partner = partner
    self.federation = federation
    self.completion = completion
    deadline = federation.now + federation.limits.dialDeadline
  }

  func start() {
    let resolver = federation.resolver
    let lookUp =
      if let server = partner.server {
        resolver.addresses(host: server.host, port: server.port, tls: server.directTLS, on: federation.loop)
      } else {
        resolver.xmppServer(domain: pair.remote, directTLS: true, on: federation.loop)
      }
    lookUp.assumeIsolated().whenComplete { [self] result in
      guard completion != nil else { return }
      switch result {
      case .success(let endpoints):
        remaining = Array(endpoints.prefix(federation.limits.endpoints))
        connect()
      case .failure(let error): finish(.failed(StreamFailure(resolving: error)))
      }
    }
  }

  /// Gives the attempt up; nobody is told.
  func cancel() {
    completion = nil
    current?.close()
    current = nil
  }

  private func connect() {
    guard !remaining.isEmpty, federation.now < deadline else { return finish(.failed(verdict)) }
    Dialler.connect(
      to: remaining, on: federation.loop, timing: federation.limits.dialling, limits: federation.limits.connection
    ) { [self] result in
      switch result {
      case .success((let connection, let endpoint)):
        guard completion != nil else { return connection.abort(.local) }
        remaining.removeAll { $0 == endpoint }
        negotiate(connection, endpoint)
      case .failure(let error):
        guard completion != nil else { return }
        remaining = []
        failures.append(
          StreamFailure(.connection, .remoteServerTimeout, cause: "\(error)", isPermanent: false))
        finish(.failed(verdict))
      }
    }
  }

  private func negotiate(_ connection: Connection, _ endpoint: Endpoint) {
    let environment = OutboundEnvironment(
      pair: pair, purpose: purpose, policy: partner.policy, keys: federation.keys, tryExternal: tryExternal,
      pingPrefix: "ping-\(Crypto.hex(Crypto.randomBytes(8)))-", limits: federation.limits.outbound)
    let stream = OutboundConnection(
      connection, endpoint, environment: environment, federation: federation, owner: self)
    federation.outbound[connection.id] = stream
    current = stream
    stream.start()
  }

  /// What to report of several failures: the one that got furthest, for it is nearest to success.
  private var verdict: StreamFailure {
    guard var worst = failures.max(by: { $0.stage.progress < $1.stage.progress }) else {
      return StreamFailure(
        .resolution, .remoteServerNotFound, cause: "no address for \(pair.remote)", isPermanent: true)
    }
    worst.isPermanent = failures.allSatisfy(\.isPermanent)
    var causes: [String] = []
    for failure in failures where !causes.contains(failure.cause) { causes.append(failure.cause) }
    worst.cause = causes.joined(separator: "; ")
    return worst
  }

  private func finish(_ outcome: Outcome) {
    let completion = completion
    self.completion = nil
    current = nil
    completion?(outcome)
  }

  // MARK: OutboundConnectionOwner

  func established(_ connection: OutboundConnection, _ method: AuthenticationMethod) {
    finish(.established(connection, method))
  }

  func verified(_ outcome: DialbackOutcome) { finish(.verified(outcome)) }

  func ended(_ connection: OutboundConnection, _ failure: StreamFailure?) {
    guard completion != nil else { return }
    current = nil
    failures.append(
      failure
        ?? StreamFailure(
          .negotiation, .remoteServerTimeout, cause: "\(pair.remote) closed the stream", isPermanent: false))
    // COMPAT ejabberd: offers EXTERNAL before it has looked at the certificate, then refuses it and hangs up.
    if connection.machine.externalRefused, tryExternal, partner.policy.allowDialback {
      tryExternal = false
      remaining.insert(connection.endpoint, at: 0)
    }
    connect()
  }

  func confirmed(_ tokens: [UInt64], on connection: OutboundConnection) {}
  func leaving(_ connection: OutboundConnection) {}
  func writabilityChanged(_ connection: OutboundConnection) {}
}

extension StreamFailure {
  init(resolving error: any Error) {
    let (condition, isPermanent): (StanzaError.Condition, Bool) =
      switch error {
      case ResolveError.noSuchDomain, ResolveError.noService: (.remoteServerNotFound, true)
      case ResolveError.bogus: (.remoteServerTimeout, true)
      default: (.remoteServerTimeout, false)
      }
    self.init(.resolution, condition, cause: "\(error)", isPermanent: isPermanent)
  }
}

extension StreamFailure.Stage {
  /// How far an attempt that failed here had come.
  var progress: Int {
    switch self {
    case .resolution: 0
    case .connection: 1
    case .tls: 2
    case .certificate: 3
    case .negotiation: 4
    case .authentication: 5
    case .stream: 6
    case .confirmation: 7
    }
  }
}
