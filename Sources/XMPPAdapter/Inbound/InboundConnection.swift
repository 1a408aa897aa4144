import Logging
import Transport
import XMLStreaming
import XMPPCore

/// Drives one `InboundStream`: bytes to events, actions to bytes and to the federation.
final class InboundConnection: ConnectionHandler {
  let connection: Connection
  private unowned let federation: Federation
  private let parser = XMLStreamParser(limits: .beforeAuthentication)
  private var machine: InboundStream
  private var events: [XMLStreamEvent] = []
  private var actions: [InboundStream.Action] = []
  private var isRunning = false
  /// Answers that mean more if they come after what was sent before the question (see `answer`).
  private var held: [(after: UInt64, send: () -> Void)] = []
  private var methods: [DomainPair: AuthenticationMethod] = [:]
  private var isBehind = false
  private(set) var lastActivity: StreamTime

  init(_ connection: Connection, federation: Federation) {
    self.connection = connection
    self.federation = federation
    lastActivity = federation.now
    machine = InboundStream(environment: federation.inboundEnvironment, now: lastActivity)
  }

  var id: UInt64 { connection.id }

  /// Domains of partners that speak on it, or want to.
  var remoteDomains: Set<String> {
    var domains = Set(machine.pairs.map(\.remote))
    if let header = machine.header { domains.insert(header.remote) }
    return domains
  }

  func carries(_ domain: String) -> Bool { !machine.isOver && machine.pairs.contains { $0.remote == domain } }

  // MARK: ConnectionHandler

  func connectionSecured(_ connection: Connection, session: TLSSession) {
    machine.secured(PeerIdentity(session), &actions)
    run()
  }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    let now = federation.now
    lastActivity = now
    machine.received(now: now)
    var failure: XMLStreamError?
    do { try unsafe parser.feed(bytes, into: &events) } catch { failure = error }
    for event in events {
      switch event {
      case .opened(let root, let namespaces):
        machine.opened(root.name, StreamHeader(root), defaultNamespace: namespaces[""] ?? "", &actions)
      case .element(let element): machine.received(element, now: now, &actions)
      case .closed: machine.closed(now: now, &actions)
      }
    }
    events.removeAll(keepingCapacity: true)
    if let failure { machine.failed(failure, &actions) }
    run()
  }

  func connectionWritabilityChanged(_ connection: Connection) { balance() }

  func connectionClosed(_ connection: Connection, reason: CloseReason) {
    if !machine.isOver {
      machine.disconnected()
      ended(cause: reason.description, condition: nil)
    }
    for (pair, method) in methods {
      federation.observer.streamClosed(.inbound, partner: pair.remote, method: method)
    }
    methods = [:]
    held = []
    federation.inbound[connection.id] = nil
    federation.connectionGone()
  }

  // MARK: From the federation

  func timePassed(_ now: StreamTime) {
    machine.timePassed(now: now, &actions)
    run()
  }

  func close() {
    machine.close(now: federation.now, &actions)
    run()
  }

  func abort(_ error: StreamError) {
    machine.abort(error, &actions)
    run()
  }

  /// The stanza of this number is safe, answered or of no consequence.
  func handled(_ number: UInt64) {
    machine.handled(number, &actions)
    run()
    while let first = held.first, machine.handledStanzas >= first.after {
      held.removeFirst()
      first.send()
    }
    balance()
  }

  /// Runs `send` when every stanza before this number is handled. A partner may take the answer to a ping as the proof
  /// that what it sent before has arrived; so the answer waits until that is safe. Who asks too often meanwhile is
  /// answered for the last questions only.
  func answer(after number: UInt64, _ send: @escaping () -> Void) {
    guard machine.handledStanzas + 1 < number else { return send() }
    if held.count >= federation.limits.heldAnswers { held.removeFirst() }
    held.append((number - 1, send))
  }

  func verified(_ request: DialbackRequest, _ outcome: DialbackOutcome) {
    machine.verified(request, outcome, &actions)
    run()
  }

  // MARK: Actions

  /// Carries out what the machine wants, and what comes of that.
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
    balance()
  }

  private func carryOut(_ action: InboundStream.Action) {
    switch action {
    case .send(let bytes): connection.write(bytes)
    case .startTLS:
      // What there was of a stream in the clear is no longer of use, and the handshake costs memory enough.
      parser.reset()
      connection.startTLS(federation.configuration.serverTLS)
    case .restart(let limits):
      parser.limits = limits
      parser.reset()
    case .limits(let limits): parser.limits = limits
    case .verify(let request):
      federation.verifier.verify(request) { [weak self] outcome in self?.verified(request, outcome) }
    case .authenticated(let pair, let method): authenticated(pair, method)
    case .stanza(let stanza, let number): federation.received(stanza, number: number, on: self)
    case .refuse(let pair, let answer, let number):
      federation.refused(on: pair, answer)
      handled(number)
    case .close(let end):
      let condition: StreamError.Condition? =
        switch end {
        case .failed(let error), .failedByPeer(let error): error.condition
        case .closed, .unanswered: nil
        }
      ended(cause: end.cause, condition: condition)
      connection.close()
    }
  }

  private func authenticated(_ pair: DomainPair, _ method: AuthenticationMethod) {
    methods[pair] = method
    connection.setReadSize(federation.limits.connection.readBytes)
    federation.logger.info(
      "stream accepted",
      metadata: [
        "partner": "\(pair.remote)", "domain": "\(pair.local)", "method": "\(method.rawValue)",
        "tls": "\(connection.session?.version ?? "none")", "address": "\(connection.remoteAddress)",
      ])
    federation.observer.streamOpened(.inbound, partner: pair.remote, method: method)
    federation.makeRoom(for: pair.remote, keeping: self)
  }

  private func ended(cause: String, condition: StreamError.Condition?) {
    let partner = machine.header?.remote
    let metadata: Logger.Metadata = [
      "partner": "\(partner ?? "unknown")", "address": "\(connection.remoteAddress)", "cause": "\(cause)",
    ]
    guard let condition else {
      // Who leaves without having proved anything came to ask about a key, or has looked around.
      return federation.logger.log(
        level: machine.isAuthenticated ? .info : .debug, "stream closed by partner", metadata: metadata)
    }
    let isKnown = partner.map { federation.partners[$0] != nil } ?? false
    federation.observer.inboundFailed(partner: isKnown ? partner : nil, condition: condition)
    // Strangers can be refused any number of times: only what partners do is worth a warning.
    federation.logger.log(level: isKnown ? .warning : .info, "stream refused or failed", metadata: metadata)
  }

  // MARK: Back-pressure

  /// Reads on only while the broker keeps up with what this peer sends, and the peer with what we send it.
  private func balance() {
    let limit = federation.limits.unansweredStanzas
    let pending = machine.pendingStanzas
    let wasBehind = isBehind
    isBehind = !connection.isWritable || pending > (isBehind ? limit / 2 : limit)
    guard isBehind != wasBehind, !machine.isOver else { return }
    if isBehind { connection.pauseReading() } else { connection.resumeReading() }
  }
}

extension PeerIdentity {
  /// What a TLS session proves about the other side.
  init(_ session: TLSSession) {
    guard let peer = session.peer else {
      self.init(untrusted: "no certificate", names: { _ in false })
      return
    }
    let untrusted: String? =
      switch peer.trust {
      case .trusted: nil
      case .untrusted(let reason): reason
      }
    // An XmppAddr may be written with U-labels.
    let addresses = Set(peer.xmppAddresses.compactMap(DomainName.normalised))
    self.init(untrusted: untrusted, names: { addresses.contains($0) || peer.matchesXMPP(domain: $0) })
  }
}
