import BrokerCore
import Logging
import NIOCore
import Transport

/// Gives the engine its sockets, its time and its broker. Confined to one event loop; decides nothing.
final class Driver {
  private enum Role {
    /// The connection to the next hop; under TLS not yet the engine's. The other servers of the next hop are there for
    /// the case that this one turns out to be of no use.
    case link(Endpoint, others: [Endpoint])
    case accepted
  }

  private struct Peer {
    let connection: Connection
    let role: Role
    /// The engine knows it as a flow.
    var isFlow = false
    /// The engine wants no more for the moment.
    var isPaused = false
  }

  private let configuration: SIPConfiguration
  private let policy: PeerPolicy
  private let loop: any EventLoop
  private let broker: any BrokerPort
  private let resolver: Resolver
  private let observer: (any SIPAdapterObserver)?
  private let logger: Logger
  private var engine: Engine
  private var peers: [FlowID: Peer] = [:]
  private var listeners: [Listener] = []
  private var timer: Scheduled<Void>?
  private var timerIsDue: Int64 = .max
  private var isStopped = false
  /// The server of the next hop that failed last: the others are tried before it (RFC 3263 §4.3).
  private var failed: Endpoint?
  private var whenEmpty: EventLoopPromise<Void>?

  init(
    _ configuration: SIPConfiguration, on loop: any EventLoop, broker: any BrokerPort, resolver: Resolver,
    observer: (any SIPAdapterObserver)?, logger: Logger
  ) {
    self.configuration = configuration
    self.loop = loop
    self.broker = broker
    self.resolver = resolver
    self.observer = observer
    self.logger = logger
    policy = PeerPolicy(configuration)
    engine = Engine(configuration, listenPort: configuration.listenPort, seed: Crypto.randomBytes(32), now: Self.now())
  }

  /// Milliseconds of uptime.
  private static func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

  // MARK: Life

  /// Listens, then reaches out. The future fails where the address cannot be listened on.
  func start() -> EventLoopFuture<Int> {
    listen(configuration.listenAddresses[...], port: configuration.listenPort)
  }

  /// On one address after the other. A port that the kernel chose for the first is used for all.
  private func listen(_ addresses: ArraySlice<String>, port: Int) -> EventLoopFuture<Int> {
    guard let address = addresses.first else { return loop.makeSucceededFuture(begin(port: port)) }
    let bound = NIOLoopBound(self, eventLoop: loop)
    return Listener.bind(
      address: address, port: port, on: loop, limits: configuration.limits.listener,
      connectionLimits: configuration.limits.connection,
      directTLS: configuration.transport == .tls ? configuration.serverTLS : nil,
      refused: { [weak self] limit in self?.refused(limit) },
      accept: { [weak self] connection in self?.accept(connection) }
    ).flatMap { listener in
      bound.value.listeners.append(listener)
      return bound.value.listen(addresses.dropFirst(), port: listener.localPort)
    }.flatMapErrorThrowing { error in
      for listener in bound.value.listeners { listener.stop() }
      throw error
    }
  }

  private func begin(port: Int) -> Int {
    // Port 0 is known only now, and our Via names the port.
    engine = Engine(configuration, listenPort: port, seed: Crypto.randomBytes(32), now: Self.now())
    turn { $0.begin(now: $1) }
    return port
  }

  /// Says goodbye where there is somebody to say it to. Done when the last connection is closed.
  func stop() -> EventLoopFuture<Void> {
    if let whenEmpty { return whenEmpty.futureResult }
    let promise = loop.makePromise(of: Void.self)
    whenEmpty = promise
    isStopped = true
    let closed = EventLoopFuture.andAllComplete(listeners.map { $0.stop() }, on: loop)
    turn { $0.stop(now: $1) }
    timer?.cancel()
    for peer in peers.values where !peer.isFlow { peer.connection.abort(.local) }
    finishIfEmpty()
    return closed.and(promise.futureResult).map { _ in }
  }

  private func finishIfEmpty() {
    if isStopped, peers.isEmpty { whenEmpty?.succeed() }
  }

  // MARK: Turns

  func perform(_ commands: [AdapterCommand]) {
    guard !isStopped else { return }
    turn { $0.perform(commands, now: $1) }
  }

  private func turn(_ work: (inout Engine, Int64) -> Void) {
    work(&engine, Self.now())
    for action in engine.takeActions() { run(action) }
    let events = engine.takeEvents()
    if !events.isEmpty { broker.submit(events) }
    schedule()
  }

  private func schedule() {
    guard !isStopped, let due = engine.timers.nextDeadline(), due < timerIsDue else { return }
    timer?.cancel()
    timerIsDue = due
    timer = loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(UInt64(due) * 1_000_000)) { [weak self] in
      guard let self else { return }
      self.timerIsDue = .max
      self.turn { $0.advance(to: $1) }
    }
  }

  private func run(_ action: EngineAction) {
    switch action {
    case .write(let flow, let bytes): peers[flow]?.connection.write(bytes)
    case .close(let flow): peers[flow]?.connection.close()
    case .abort(let flow, let reason): peers[flow]?.connection.abort(.timeout(reason))
    case .connect: connect()
    case .pauseReading(let flow):
      peers[flow]?.isPaused = true
      peers[flow]?.connection.pauseReading()
    case .resumeReading(let flow):
      peers[flow]?.isPaused = false
      if let connection = peers[flow]?.connection, connection.isWritable { connection.resumeReading() }
    case .observe(let event): observer?.observe(event, platform: configuration.adapter)
    case .log(let level, let text): logger.log(level: level, "\(text)")
    }
  }

  // MARK: Connections

  private func refused(_ limit: ListenerLimit) {
    observer?.observe(.connectionRefused(limit: limit.rawValue), platform: configuration.adapter)
  }

  private func accept(_ connection: Connection) -> (any ConnectionHandler)? {
    guard !isStopped else { return nil }
    peers[connection.id] = Peer(connection: connection, role: .accepted)
    if configuration.transport == .tcp {
      // Its handler is set when we return; nothing is delivered before.
      open(connection, isLink: false, isTrusted: true)
    }
    return self
  }

  private func connect() {
    let bound = NIOLoopBound(self, eventLoop: loop)
    let hop = configuration.nextHop
    resolver.sipServer(host: hop.host, port: hop.port, tls: configuration.transport == .tls, on: loop)
      .whenComplete { result in
        let driver = bound.value
        switch result {
        case .success(let endpoints):
          driver.dial(endpoints.filter { $0 != driver.failed } + endpoints.filter { $0 == driver.failed })
        case .failure(let error): driver.linkFailed("\(hop.host): \(error)", Self.permanence(error))
        }
      }
  }

  private static func permanence(_ error: any Error) -> BrokerEvent.Permanence {
    switch error as? ResolveError {
    case .noSuchDomain, .noService, .bogus: .permanent
    case .timeout, .failure, nil: .transient
    }
  }

  private func dial(_ endpoints: [Endpoint]) {
    guard !isStopped else { return }
    Dialler.connect(to: endpoints, on: loop, limits: configuration.limits.connection) { [weak self] result in
      switch result {
      case .success((let connection, let endpoint)):
        // Those before it in the list could not be connected to.
        let others = endpoints.drop { $0 != endpoint }.dropFirst()
        self?.dialled(connection, endpoint, others: Array(others))
      case .failure(let error): self?.linkFailed(error.description, .transient)
      }
    }
  }

  private func dialled(_ connection: Connection, _ endpoint: Endpoint, others: [Endpoint]) {
    guard !isStopped else { return connection.abort(.local) }
    peers[connection.id] = Peer(connection: connection, role: .link(endpoint, others: others))
    connection.handler = self
    switch configuration.transport {
    case .tcp: open(connection, isLink: true, isTrusted: true)
    case .tls:
      guard let context = configuration.clientTLS else { return connection.abort(.tls("no TLS context")) }
      connection.startTLS(context, serverName: configuration.nextHop.host)
    }
  }

  private func open(_ connection: Connection, isLink: Bool, isTrusted: Bool, note: String = "") {
    peers[connection.id]?.isFlow = true
    let peer = "\(connection.remoteAddress):\(connection.remotePort)\(note)"
    turn { $0.flowOpened(connection.id, isLink: isLink, isTrusted: isTrusted, peer: peer, now: $1) }
  }

  private func linkFailed(_ reason: String, _ permanence: BrokerEvent.Permanence) {
    guard !isStopped else { return }
    turn { $0.linkFailed(reason, permanence, now: $1) }
  }
}

extension Driver: ConnectionHandler {
  func connectionSecured(_ connection: Connection, session: TLSSession) {
    guard let peer = peers[connection.id] else { return }
    let objection = policy.objection(session)
    switch (peer.role, objection) {
    case (.link, nil): open(connection, isLink: true, isTrusted: true)
    case (.link(let endpoint, _), let objection?):
      connection.abort(.tls("\(endpoint): \(objection)"))
    case (.accepted, nil): open(connection, isLink: false, isTrusted: true)
    // Stays long enough to hear why (403).
    case (.accepted, let objection?): open(connection, isLink: false, isTrusted: false, note: ": \(objection)")
    }
  }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    turn { unsafe $0.received(bytes, on: connection.id, now: $1) }
  }

  func connectionWritabilityChanged(_ connection: Connection) {
    // Who does not read our answers is not read either.
    if !connection.isWritable {
      connection.pauseReading()
    } else if peers[connection.id]?.isPaused == false {
      connection.resumeReading()
    }
  }

  func connectionClosed(_ connection: Connection, reason: CloseReason) {
    guard let peer = peers.removeValue(forKey: connection.id) else { return }
    let permanence: BrokerEvent.Permanence
    if case .tls = reason, !peer.isFlow { permanence = .permanent } else { permanence = .transient }
    if case .link(let endpoint, _) = peer.role { failed = endpoint }
    if case .link(let endpoint, let others) = peer.role, !peer.isFlow, !others.isEmpty, !isStopped {
      logger.warning("next hop: \(endpoint) is of no use, trying the next one", metadata: ["cause": "\(reason)"])
      dial(others)
    } else if peer.isFlow {
      turn { $0.flowClosed(connection.id, reason: reason.description, permanence, now: $1) }
    } else if case .link = peer.role {
      linkFailed(reason.description, permanence)
    } else {
      logger.info("connection from \(connection.remoteAddress) refused: \(reason)")
    }
    finishIfEmpty()
  }
}
