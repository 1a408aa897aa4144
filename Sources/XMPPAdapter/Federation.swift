import BrokerCore
import Logging
import NIOCore
import Transport
import XMPPCore

/// The adapter's state: who the partners are, which streams there are, what the broker is owed. Confined to its loop.
final class Federation {
  let loop: any EventLoop
  let configuration: XMPPConfiguration
  let resolver: Resolver
  let observer: any XMPPAdapterObserver
  let logger: Logger
  let keys: DialbackKeys
  let domains: [String: XMPPConfiguration.Domain]
  private(set) var partners: [String: XMPPConfiguration.Partner] = [:]
  private let broker: any BrokerPort

  var inbound: [UInt64: InboundConnection] = [:]
  var outbound: [UInt64: OutboundConnection] = [:]
  private(set) var links: [DomainPair: OutboundLink] = [:]
  private(set) lazy var verifier = KeyVerifier(self)
  /// Shared by all inbound streams.
  private(set) lazy var inboundEnvironment = InboundEnvironment(
    servedDomains: Set(domains.keys), policy: { [unowned self] in partners[$0]?.policy }, keys: keys,
    nextStreamID: { Crypto.hex(Crypto.randomBytes(16)) }, limits: limits.inbound)
  var submissions: [SubmissionID: PendingSubmission] = [:]
  private var lastSubmission: UInt64 = 0

  private var listeners: [Listener] = []
  private var ticker: RepeatedTask?
  /// What the broker is told at the end of this turn of the loop, in one piece.
  private var events: [BrokerEvent] = []
  private var isFlushScheduled = false
  private var stopping: EventLoopPromise<Void>?
  private var isStopped = false

  /// How exactly deadlines are kept.
  private static let tickInterval = TimeAmount.milliseconds(250)

  init(
    _ configuration: XMPPConfiguration, loop: any EventLoop, broker: any BrokerPort, resolver: Resolver,
    observer: any XMPPAdapterObserver, logger: Logger
  ) {
    self.configuration = configuration
    self.loop = loop
    self.broker = broker
    self.resolver = resolver
    self.observer = observer
    self.logger = logger
    domains = Dictionary(configuration.domains.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    keys = DialbackKeys(
      secret: configuration.dialbackSecret,
      crypto: DialbackCrypto(
        sha256: { Crypto.sha256($0) }, hmacSHA256: { Crypto.hmacSHA256(key: $0, data: $1) },
        constantTimeEquals: { Crypto.constantTimeEquals($0, $1) }))
    setPartners(configuration.partners)
  }

  var limits: XMPPLimits { configuration.limits }
  var isStopping: Bool { stopping != nil }

  private func setPartners(_ list: [XMPPConfiguration.Partner]) {
    partners = Dictionary(list.map { ($0.domain, $0) }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: Listening

  func listen() -> EventLoopFuture<Void> {
    let bound = configuration.listeners.map { address in
      Listener.bind(
        address: address.address, port: address.port, on: loop, limits: limits.listener,
        connectionLimits: limits.acceptedConnection, directTLS: address.directTLS ? configuration.serverTLS : nil,
        refused: { [observer, logger] limit in
          observer.connectionRefused(limit: limit.rawValue)
          logger.debug("connection refused", metadata: ["limit": "\(limit.rawValue)"])
        },
        accept: { [weak self] connection in self?.accept(connection) })
    }
    return EventLoopFuture.whenAllComplete(bound, on: loop).assumeIsolated().flatMapThrowing { [self] results in
      listeners = results.compactMap { try? $0.get() }
      do {
        for result in results { _ = try result.get() }
      } catch {
        for listener in listeners { listener.stop() }
        throw error
      }
      let bound = NIOLoopBound(self, eventLoop: loop)
      ticker = loop.scheduleRepeatedTask(initialDelay: Self.tickInterval, delay: Self.tickInterval) { _ in
        bound.value.tick()
      }
    }.nonisolated()
  }

  var listeningPorts: [Int] { listeners.map(\.localPort) }

  private func accept(_ connection: Connection) -> (any ConnectionHandler)? {
    guard !isStopping else { return nil }
    let handler = InboundConnection(connection, federation: self)
    inbound[connection.id] = handler
    return handler
  }

  // MARK: The broker

  /// For the broker, with what else this turn of the loop brings.
  func tell(_ event: BrokerEvent) {
    events.append(event)
    guard !isFlushScheduled else { return }
    isFlushScheduled = true
    loop.assumeIsolated().execute { [self] in
      isFlushScheduled = false
      let batch = events
      events = []
      broker.submit(batch)
    }
  }

  func nextSubmission() -> SubmissionID {
    lastSubmission += 1
    return SubmissionID(rawValue: lastSubmission)
  }

  func perform(_ commands: [AdapterCommand]) {
    var touched: Set<DomainPair> = []
    for command in commands {
      switch command {
      case .deliver(let entry):
        let pair = DomainPair(local: entry.sender.domain, remote: entry.recipient.domain)
        guard let link = link(pair) else {
          refuseUnroutable(entry)
          continue
        }
        link.deliver(entry)
        touched.insert(pair)
      case .signal(let signal, _):
        links[DomainPair(local: signal.from.domain, remote: signal.to.domain)]?.send(signal)
      case .answer(let id, let answer): answered(id, answer)
      }
    }
    for pair in touched { links[pair]?.flush() }
  }

  private func refuseUnroutable(_ entry: Entry) {
    tell(
      .refused(
        entry.id,
        DeliveryError(
          .forbidden, text: "Federation with \(entry.recipient.domain) is not allowed.",
          detail: "no partner \(entry.recipient.domain), or \(entry.sender.domain) is not a domain of ours")))
  }

  /// The way from a domain of ours to a partner's; nil if one of them is not.
  func link(_ pair: DomainPair) -> OutboundLink? {
    if let link = links[pair] { return link }
    guard !isStopping, partners[pair.remote] != nil, domains[pair.local] != nil else { return nil }
    let link = OutboundLink(pair, federation: self)
    links[pair] = link
    return link
  }

  /// Other ways to the same destination that have entries of the broker in hand.
  func holdsElsewhere(than link: OutboundLink) -> Bool {
    links.values.contains { $0 !== link && $0.pair.remote == link.pair.remote && $0.holdsEntries }
  }

  // MARK: Time

  var now: StreamTime { StreamTime(milliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000)) }

  /// When the entry was accepted, if it waited for long.
  func delayedSince(_ entry: Entry) -> Timestamp? {
    guard let clock = configuration.clock, entry.accepted + limits.delayWorthTelling < clock() else { return nil }
    return entry.accepted
  }

  private func tick() {
    let now = now
    for connection in inbound.values { connection.timePassed(now) }
    for connection in outbound.values { connection.timePassed(now) }
    verifier.timePassed(now)
  }

  // MARK: Changes and the end

  func replace(partners list: [XMPPConfiguration.Partner]) {
    let before = partners
    setPartners(list)
    let changed = Set(before.filter { partners[$0.key] != $0.value }.keys)
    for connection in inbound.values where !changed.isDisjoint(with: connection.remoteDomains) {
      connection.abort(StreamError(.reset, cause: "the partner's configuration changed"))
    }
    for (pair, link) in links where changed.contains(pair.remote) {
      link.reset()
      links[pair] = nil
    }
  }

  var status: [XMPPPartnerStatus] {
    partners.keys.sorted().map { domain in
      let links = links.filter { $0.key.remote == domain }.values
      return XMPPPartnerStatus(
        domain: domain, inboundStreams: inbound.values.count { $0.carries(domain) },
        outboundStreams: links.count(where: \.isUp), lastFailure: links.lazy.compactMap(\.lastFailure).first)
    }
  }

  /// First what is on the way to partners may be confirmed, so that it is not sent again after the next start; then
  /// all streams are closed.
  func stop() -> EventLoopFuture<Void> {
    if let stopping { return stopping.futureResult }
    let promise = loop.makePromise(of: Void.self)
    stopping = promise
    for listener in listeners { listener.stop() }
    for link in links.values { link.stop() }
    verifier.stop()
    schedule(limits.drain) { $0.closeAll() }
    schedule(limits.drain + limits.inbound.closing) { $0.abortAll() }
    closeIfDrained()
    return promise.futureResult
  }

  private func schedule(_ delay: Duration, _ work: @escaping (Federation) -> Void) {
    let nanoseconds = delay.components.seconds * 1_000_000_000 + delay.components.attoseconds / 1_000_000_000
    loop.assumeIsolated().scheduleTask(in: .nanoseconds(nanoseconds)) { work(self) }
  }

  /// A link has no more to wait for.
  func closeIfDrained() {
    guard isStopping, !links.values.contains(where: \.holdsEntries) else { return }
    closeAll()
  }

  private func closeAll() {
    for connection in inbound.values { connection.close() }
    for connection in outbound.values { connection.close() }
    connectionGone()
  }

  private func abortAll() {
    for connection in inbound.values { connection.connection.abort(.local) }
    for connection in outbound.values { connection.connection.abort(.local) }
  }

  /// A connection was closed and taken from the list.
  func connectionGone() {
    guard let stopping, !isStopped, inbound.isEmpty, outbound.isEmpty else { return }
    isStopped = true
    ticker?.cancel()
    stopping.succeed()
  }
}
