import Transport
import XMLStreaming
import XMPPCore

/// Who opened a stream and wants to know what becomes of it.
protocol OutboundConnectionOwner: AnyObject {
  func established(_ connection: OutboundConnection, _ method: AuthenticationMethod)
  func confirmed(_ tokens: [UInt64], on connection: OutboundConnection)
  func verified(_ outcome: DialbackOutcome)
  /// It takes no more stanzas; what is unconfirmed may still be confirmed until it has `ended`.
  func leaving(_ connection: OutboundConnection)
  func writabilityChanged(_ connection: OutboundConnection)
  /// It is over, or is closing and carries nothing more. nil: in good order. The last call.
  func ended(_ connection: OutboundConnection, _ failure: StreamFailure?)
}

/// Drives one `OutboundStream`.
final class OutboundConnection: ConnectionHandler {
  let connection: Connection
  let endpoint: Endpoint
  /// Whoever is responsible at the moment: the dial, then the link.
  weak var owner: (any OutboundConnectionOwner)?
  private unowned let federation: Federation
  private let pair: DomainPair
  private let parser = XMLStreamParser(limits: .negotiation)
  private(set) var machine: OutboundStream
  private var events: [XMLStreamEvent] = []
  private var actions: [OutboundStream.Action] = []
  private var isRunning = false
  private var method: AuthenticationMethod?

  init(
    _ connection: Connection, _ endpoint: Endpoint, environment: OutboundEnvironment, federation: Federation,
    owner: any OutboundConnectionOwner
  ) {
    self.connection = connection
    self.endpoint = endpoint
    self.federation = federation
    self.owner = owner
    pair = environment.pair
    machine = OutboundStream(environment: environment, now: federation.now)
  }

  /// Whether the peer keeps up with what is written.
  var isWritable: Bool { connection.isWritable }
  var tlsVersion: String? { connection.session?.version }

  func start() {
    connection.handler = self
    if endpoint.tls { return startTLS() }
    machine.start(identity: nil, &actions)
    run()
  }

  private func startTLS() {
    guard let domain = federation.domains[pair.local] else { return connection.abort(.local) }
    connection.startTLS(domain.clientTLS, serverName: pair.remote)
  }

  // MARK: ConnectionHandler

  func connectionSecured(_ connection: Connection, session: TLSSession) {
    let identity = PeerIdentity(session)
    if endpoint.tls {
      machine.start(identity: identity, &actions)
    } else {
      machine.secured(identity, &actions)
    }
    run()
  }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    let now = federation.now
    var failure: XMLStreamError?
    do { try unsafe parser.feed(bytes, into: &events) } catch { failure = error }
    for event in events {
      switch event {
      case .opened(let root, let namespaces):
        machine.opened(
          root.name, StreamHeader(root), defaultNamespace: namespaces[""] ?? "", now: now, &actions)
      case .element(let element): machine.received(element, now: now, &actions)
      case .closed: machine.closed(&actions)
      }
    }
    events.removeAll(keepingCapacity: true)
    if let failure { machine.failed(failure, &actions) }
    run()
  }

  func connectionWritabilityChanged(_ connection: Connection) { owner?.writabilityChanged(self) }

  func connectionClosed(_ connection: Connection, reason: CloseReason) {
    if !machine.isOver {
      var failure = machine.disconnected(cause: reason.description)
      if case .tls(let text) = reason, failure != nil {
        failure = StreamFailure(
          .tls, .remoteServerTimeout, cause: "\(pair.remote): TLS with \(endpoint): \(text)", isPermanent: false)
      }
      end(failure)
    }
    federation.outbound[connection.id] = nil
    federation.connectionGone()
  }

  // MARK: From the owner

  /// Writes a stanza. `token` comes back when the partner has processed it; nil if nobody waits for that.
  func send(_ bytes: [UInt8], token: UInt64?) {
    connection.write(bytes)
    machine.sent(token, now: federation.now)
  }

  /// What there is to send is sent: asks for the confirmation.
  func flush() {
    machine.flush(now: federation.now, &actions)
    run()
  }

  /// An answer came that may be to our ping.
  func answered(id: String) -> Bool {
    let isOurs = machine.answered(id: id, now: federation.now, &actions)
    run()
    return isOurs
  }

  func close() {
    machine.close(now: federation.now, &actions)
    run()
  }

  func timePassed(_ now: StreamTime) {
    machine.timePassed(now: now, &actions)
    run()
  }

  // MARK: Actions

  private func run() {
    guard !isRunning else { return }
    isRunning = true
    var index = 0
    while index < actions.count {
      let action = actions[index]
      index += 1
      carryOut(action)
    }
    actions.removeAll(keepingCapacity: true)
    isRunning = false
  }

  private func carryOut(_ action: OutboundStream.Action) {
    switch action {
    case .send(let bytes): connection.write(bytes)
    case .startTLS: startTLS()
    case .restart(let limits):
      parser.limits = limits
      parser.reset()
    case .established(let method, _):
      self.method = method
      federation.observer.streamOpened(.outbound, partner: pair.remote, method: method)
      owner?.established(self, method)
    case .confirmed(let tokens): owner?.confirmed(tokens, on: self)
    case .leaving: owner?.leaving(self)
    case .verified(let outcome): owner?.verified(outcome)
    case .close(let failure):
      end(failure)
      if let failure, failure.stage == .confirmation {
        // It fell silent. What it has not read is sent again elsewhere and shall not reach it twice.
        connection.abort(.timeout(failure.cause))
      } else {
        connection.close()
      }
    }
  }

  private func end(_ failure: StreamFailure?) {
    if let method { federation.observer.streamClosed(.outbound, partner: pair.remote, method: method) }
    method = nil
    let owner = owner
    self.owner = nil
    owner?.ended(self, failure)
  }
}
