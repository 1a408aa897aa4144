package import XMLStreaming

// A stream that we open to a partner's server: we are the initiating entity (RFC 6120 §4), and only we send stanzas on
// it. The adapter's connection drives it, as with `InboundStream`.
//
//     header ─▶ features ─┬─▶ proceed ─▶ handshake ─▶ header (secured)
//                         ├─▶ success ─▶ header (proved) ─▶ features ─┬─▶ enabling ─▶ established
//                         ├─▶ dialback ─▶ established                 └─▶ established
//                         └─▶ verification (a stream that only asks about a key)
//     established: stanzas go out, questions behind them, confirmations come in.
//     closing: our closing tag is sent.   over: nothing more.

package struct OutboundStream {
  package enum Action {
    case send([UInt8])
    case startTLS
    /// A new stream begins on the same connection: a fresh parser, with these limits.
    case restart(XMLLimits)
    /// Stanzas may be sent.
    case established(AuthenticationMethod, DeliveryConfirmation.Method)
    /// The peer processed the stanzas sent with these tokens.
    case confirmed([UInt64])
    /// We said good-bye: nothing more is sent, confirmations may still come until `close`.
    case leaving
    /// The answer that a stream for verification was opened for. `close` follows.
    case verified(DialbackOutcome)
    /// Close the connection; nil: in good order. Nothing comes after it.
    case close(StreamFailure?)
  }

  enum State: Hashable {
    case header, features, proceed, handshake, success, dialback, verification, enabling, established
    case closing(until: StreamTime)
    case over
  }

  let environment: OutboundEnvironment
  var state = State.header
  var identity: PeerIdentity?
  /// The response header's id and how its `from` differs from whom we called.
  var streamID: String?
  var misnamed: String?
  var saslDone = false
  /// Whether we tried EXTERNAL and were refused.
  package internal(set) var externalRefused = false
  /// XEP-0478: the largest stanza the peer takes.
  package internal(set) var peerStanzaBytes: Int?
  var method = AuthenticationMethod.external
  var confirmation = DeliveryConfirmation(method: .pings)
  var pings: UInt64 = 0
  var pingID: String?
  var deadline: StreamTime
  var lastStanza: StreamTime
  var lastSent: StreamTime

  /// A stream on a connection that was made, and secured if that is the way of its port (XEP-0368).
  package init(environment: OutboundEnvironment, now: StreamTime) {
    self.environment = environment
    self.deadline = now + environment.limits.negotiation
    self.lastStanza = now
    self.lastSent = now
  }

  package var isEstablished: Bool { state == .established }
  package var isOver: Bool { state == .over }
  package var unconfirmed: Int { confirmation.unconfirmed }
  package var isSecured: Bool { identity != nil }

  var pair: DomainPair { environment.pair }

  /// With `identity`, over direct TLS; nil in the clear.
  package mutating func start(identity: PeerIdentity?, _ actions: inout [Action]) {
    if let identity {
      self.identity = identity
      if let failure = objection(to: identity) { return refuse(failure, &actions) }
    }
    open(&actions)
  }

  /// Ends it before there is a stream: a peer that is somebody else has nothing to hear from us.
  private mutating func refuse(_ failure: StreamFailure, _ actions: inout [Action]) {
    state = .over
    actions.append(.close(failure))
  }

  func objection(to identity: PeerIdentity) -> StreamFailure? {
    // With dialback it is the address found in DNS that vouches for the peer, and TLS only hides the talk.
    guard !environment.policy.allowDialback, let objection = identity.objection(to: pair.remote) else { return nil }
    return StreamFailure(
      .certificate, .remoteServerTimeout, cause: "\(pair.remote): \(objection)", isPermanent: true)
  }

  func open(_ actions: inout [Action]) {
    actions.append(.send(StreamOutput.header(from: pair.local, to: pair.remote, id: nil)))
  }
}

// MARK: Events

extension OutboundStream {
  package mutating func opened(
    _ name: XMLName, _ header: StreamHeader, defaultNamespace: String, now: StreamTime, _ actions: inout [Action]
  ) {
    guard state == .header else { return }
    guard name == XMLName("stream", namespace: Namespace.streams), defaultNamespace == Namespace.server else {
      return fail(negotiationFailure("answered with a stream of another namespace"), error: .invalidNamespace, &actions)
    }
    streamID = header.id
    // A server that has to refuse us may not know a better name to do it with (§4.9.1.3): judged with the features.
    misnamed = header.from.flatMap { $0.isEmpty || DomainName.normalised($0) == pair.remote ? nil : $0 }
    state = .features
    // RFC 6120 §4.7.5: a server without a version sends no features.
    if (header.majorVersion ?? 0) < 1 {
      negotiate(XMLElement("features", namespace: Namespace.streams), now: now, &actions)
    }
  }

  package mutating func received(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    if element.isNamed("error", Namespace.streams) {
      let error = StreamError(peer: element)
      return finish(StreamFailure(error, stage: stage), &actions)
    }
    switch (state, element.namespace) {
    case (.over, _), (.header, _): return
    // Not said by whom TLS is going to show (CVE-2011-0411 and its kin).
    case (.handshake, _): fail(lost("sent data in the clear behind <proceed/>"), error: nil, &actions)
    case (.features, Namespace.streams) where element.local == "features": negotiate(element, now: now, &actions)
    case (.proceed, Namespace.tls): answeredStartTLS(element, &actions)
    case (.success, Namespace.sasl): answeredAuth(element, now: now, &actions)
    case (_, Namespace.dialback): answeredDialback(element, now: now, &actions)
    case (_, Namespace.streamManagement): manage(element, now: now, &actions)
    default:
      // Stanzas and the like: without bidirectional streams (XEP-0288) nothing was proved that would let the peer
      // speak here, and an answer would only feed it.
      return
    }
  }

  package mutating func closed(_ actions: inout [Action]) {
    if case .closing = state { return finish(nil, &actions) }
    // A server may close what it does not need; who waits for an answer hears of it all the same.
    let clean = state == .established && confirmation.unconfirmed == 0
    finish(clean ? nil : lost("closed the stream"), &actions)
  }

  package mutating func failed(_ error: XMLStreamError, _ actions: inout [Action]) {
    let condition = StreamError.Condition(rawValue: error.streamCondition) ?? .notWellFormed
    fail(lost("sent what cannot be read: \(error)"), error: condition, &actions)
  }

  package mutating func secured(_ identity: PeerIdentity, _ actions: inout [Action]) {
    guard state == .handshake else { return }
    self.identity = identity
    if let failure = objection(to: identity) { return refuse(failure, &actions) }
    state = .header
    actions.append(.restart(.negotiation))
    open(&actions)
  }

  /// The connection is gone; the failure to report, nil if it was over already.
  package mutating func disconnected(cause: String) -> StreamFailure? {
    guard state != .over else { return nil }
    let wasClosing = if case .closing = state { true } else { false }
    let failure = lost(cause)
    state = .over
    return wasClosing || (failure.stage == .stream && confirmation.unconfirmed == 0) ? nil : failure
  }

  package mutating func timePassed(now: StreamTime, _ actions: inout [Action]) {
    switch state {
    case .over: return
    case .closing(let deadline):
      if now >= deadline { finish(nil, &actions) }
    case .established:
      if confirmation.isOverdue(now: now, limit: environment.limits.confirmation) {
        let failure = StreamFailure(
          .confirmation, .remoteServerTimeout,
          cause: "\(pair.remote) did not confirm within \(environment.limits.confirmation.components.seconds) s",
          isPermanent: false)
        return fail(failure, error: .connectionTimeout, &actions)
      }
      flush(now: now, &actions)
      if confirmation.unconfirmed == 0, now >= lastStanza + environment.limits.idle {
        close(now: now, &actions)
      } else if now >= lastSent + environment.limits.keepAlive {
        lastSent = now
        actions.append(.send([UInt8(ascii: " ")]))
      }
    default:
      if now >= deadline { fail(lost("did not answer in time (\(waitingFor))"), error: .connectionTimeout, &actions) }
    }
  }

  /// Say good-bye. What is not confirmed stays the caller's.
  package mutating func close(now: StreamTime, _ actions: inout [Action]) {
    switch state {
    case .over, .closing: return
    case .established:
      actions.append(.send(XMLWriter.streamFooter))
      actions.append(.leaving)
      state = .closing(until: now + environment.limits.closing)
    default: finish(nil, &actions)
    }
  }
}

// MARK: Ends

extension OutboundStream {
  var stage: StreamFailure.Stage {
    switch state {
    case .header, .features, .proceed: .negotiation
    case .handshake: .tls
    case .success, .dialback, .verification: .authentication
    case .enabling, .established, .closing, .over: .stream
    }
  }

  private var waitingFor: String {
    switch state {
    case .header: "stream header"
    case .features: "stream features"
    case .proceed: "STARTTLS"
    case .handshake: "TLS handshake"
    case .success: "SASL"
    case .dialback, .verification: "dialback"
    case .enabling: "stream management"
    case .established, .closing, .over: "stream"
    }
  }

  func lost(_ what: String) -> StreamFailure {
    StreamFailure(stage, .remoteServerTimeout, cause: "\(pair.remote) \(what)", isPermanent: false)
  }

  func negotiationFailure(_ what: String, permanent: Bool = true) -> StreamFailure {
    StreamFailure(.negotiation, .remoteServerTimeout, cause: "\(pair.remote) \(what)", isPermanent: permanent)
  }

  /// Ends the stream for a reason of ours; the peer is told which.
  mutating func fail(_ failure: StreamFailure, error: StreamError.Condition?, _ actions: inout [Action]) {
    guard state != .over else { return }
    if state != .handshake {
      var bytes: [UInt8] = []
      if let error { StreamOutput.append(StreamOutput.element(StreamError(error, cause: failure.cause)), to: &bytes) }
      if case .closing = state {
      } else {
        actions.append(.send(bytes + XMLWriter.streamFooter))
      }
    }
    state = .over
    actions.append(.close(failure))
  }

  /// Ends it after the peer did.
  mutating func finish(_ failure: StreamFailure?, _ actions: inout [Action]) {
    switch state {
    case .over: return
    case .closing, .handshake: break
    default: actions.append(.send(XMLWriter.streamFooter))
    }
    state = .over
    actions.append(.close(failure))
  }
}
