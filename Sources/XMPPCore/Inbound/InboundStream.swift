package import XMLStreaming

// A stream that a peer's server opened to us: we are the receiving entity (RFC 6120 §4), and it only ever carries
// stanzas from the peer. The adapter's connection drives it: parser events, the end of a TLS handshake, answers to
// dialback questions and the time go in; actions come out, to be carried out in their order.
//
//     header ──▶ negotiating ──▶ startingTLS ──▶ header (again, secured)
//                    │  ╲                                     │
//                    │   dialback: a pair is proved,          │ SASL EXTERNAL: header (again, proved)
//                    │   the stream goes on as it is ◀────────┘
//                    ▼
//       any error: over.  Peer's closing tag: finishing (until what it sent is handled), then over.
//       Our closing tag: closing (the peer may go on until it answers), then over.
//
// Whether stanzas are taken does not hang on the state but on `pairs`: the (our domain, peer's domain) pairs proved.

package struct InboundStream {
  package enum Action {
    case send([UInt8])
    /// Begin the TLS handshake. What is left of the bytes received so far is not from a friend.
    case startTLS
    /// A new stream begins on the same connection: a fresh parser, with these limits.
    case restart(XMLLimits)
    /// The stream goes on with other limits.
    case limits(XMLLimits)
    /// Have the key confirmed, then call `verified`.
    case verify(DialbackRequest)
    case authenticated(DomainPair, AuthenticationMethod)
    /// To be reported by `handled` with its number once it is safe.
    case stanza(Stanza, number: UInt64)
    /// A stanza that cannot be read: the answer goes the other way, then it is to be reported by `handled`.
    case refuse(DomainPair, answer: XMLElement?, number: UInt64)
    /// Send what waits to be sent and close the connection. Nothing comes after it.
    case close(StreamEnd)
  }

  enum State: Hashable {
    /// Next: negotiating.
    case header
    /// The header was answered and the features are sent. Next: startingTLS, header, finishing, closing.
    case negotiating
    /// `<proceed/>` is sent; nothing may come in the clear any more. Next: header.
    case startingTLS
    /// The peer said good-bye; handled stanzas are still acknowledged. Next: over.
    case finishing(until: StreamTime)
    /// We said good-bye. Next: over.
    case closing(until: StreamTime)
    case over
  }

  /// The domains of the stream header; every further header has to repeat them (CVE-2018-10847).
  package internal(set) var header: DomainPair?
  /// The domain of ours that the peer's header names, as soon as that is known.
  var addressed: String?
  package internal(set) var pairs: Set<DomainPair> = []
  /// nil in the clear.
  package internal(set) var identity: PeerIdentity?

  let environment: InboundEnvironment
  var state = State.header
  var streamID = ""
  var policy = StreamPolicy()
  var saslDone = false
  var failedAttempts = 0
  var confirmedKeys = 0
  var elementsBeforeProof = 0
  var verifying: Set<DomainPair> = []
  var stanzas = HandledStanzas()
  /// XEP-0198: stanzas received before `<enable/>` do not count. nil: not enabled.
  var acknowledgementBase: UInt64?
  /// Since when the peer waits for an answer to `<r/>`, and up to which stanza it asked.
  var requested: (since: StreamTime, upTo: UInt64)?
  /// `<r/>` was answered before everything was handled: the rest is acknowledged unasked.
  var owesAcknowledgement = false
  var negotiationDeadline: StreamTime
  var lastActivity: StreamTime

  /// A stream on a connection that has just been accepted.
  package init(environment: InboundEnvironment, now: StreamTime) {
    self.environment = environment
    self.negotiationDeadline = now + environment.limits.negotiation
    self.lastActivity = now
  }

  package var isAuthenticated: Bool { !pairs.isEmpty }
  package var isOver: Bool { state == .over }
  /// Stanzas received that are not handled yet.
  package var pendingStanzas: UInt64 { stanzas.pending }
  /// All up to this number are handled.
  package var handledStanzas: UInt64 { stanzas.handled }
}

// MARK: Events

extension InboundStream {
  /// Bytes came, whatever is in them.
  package mutating func received(now: StreamTime) { lastActivity = now }

  /// The start tag of the stream, with the default namespace it declares.
  package mutating func opened(
    _ name: XMLName, _ header: StreamHeader, defaultNamespace: String, _ actions: inout [Action]
  ) {
    guard state == .header else { return refuseDuringHandshake(&actions) }
    if let error = begin(name, header, defaultNamespace: defaultNamespace, &actions) { fail(error, &actions) }
  }

  package mutating func received(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    switch state {
    case .negotiating, .closing:
      do { try handle(element, now: now, &actions) } catch { fail(error, &actions) }
    case .startingTLS: refuseDuringHandshake(&actions)
    case .header, .finishing, .over: break
    }
  }

  /// The closing tag of the peer.
  package mutating func closed(now: StreamTime, _ actions: inout [Action]) {
    switch state {
    case .header, .startingTLS, .finishing, .over: end(.closed, &actions)
    case .closing: end(.closed, &actions)
    case .negotiating:
      // What it sent may not be safe yet; the last acknowledgement spares both sides a repetition (XEP-0198 §4).
      state = .finishing(until: now + environment.limits.acknowledgementHold)
      finishIfHandled(&actions)
    }
  }

  package mutating func failed(_ error: XMLStreamError, _ actions: inout [Action]) {
    guard state != .startingTLS else { return refuseDuringHandshake(&actions) }
    let condition = StreamError.Condition(rawValue: error.streamCondition) ?? .notWellFormed
    fail(StreamError(condition, cause: error.description), &actions)
  }

  /// The TLS handshake is done, after STARTTLS or before the first header (direct TLS, XEP-0368).
  package mutating func secured(_ identity: PeerIdentity, _ actions: inout [Action]) {
    switch state {
    case .startingTLS:
      state = .header
      actions.append(.restart(.beforeAuthentication))
    case .header where header == nil && self.identity == nil: break
    default: return
    }
    self.identity = identity
  }

  /// The connection is gone. Nothing is left to do.
  package mutating func disconnected() { state = .over }

  package mutating func timePassed(now: StreamTime, _ actions: inout [Action]) {
    switch state {
    case .over: return
    case .closing(let deadline), .finishing(let deadline):
      if now >= deadline {
        acknowledge(&actions)
        end(deadlineEnd, &actions)
      }
      return
    case .header, .negotiating, .startingTLS: break
    }
    if !isAuthenticated, now >= negotiationDeadline {
      fail(StreamError(.connectionTimeout, cause: "not authenticated in time"), &actions)
    } else if isAuthenticated, now >= lastActivity + environment.limits.idle {
      close(now: now, &actions)
    } else if let requested, now >= requested.since + environment.limits.acknowledgementHold {
      acknowledge(&actions)
    }
  }

  /// Say good-bye; the peer may finish what it is saying.
  package mutating func close(now: StreamTime, _ actions: inout [Action]) {
    switch state {
    case .negotiating:
      acknowledge(&actions)
      actions.append(.send(XMLWriter.streamFooter))
      state = .closing(until: now + environment.limits.closing)
    case .header, .startingTLS: end(.closed, &actions)
    case .finishing, .closing, .over: break
    }
  }

  /// End it for a reason of ours, such as a shutdown or a changed configuration.
  package mutating func abort(_ error: StreamError, _ actions: inout [Action]) { fail(error, &actions) }
}

// MARK: Ends

extension InboundStream {
  private var deadlineEnd: StreamEnd {
    if case .finishing = state { .closed } else { .unanswered }
  }

  mutating func fail(_ error: StreamError, _ actions: inout [Action]) {
    switch state {
    case .over: return
    case .closing: break
    case .startingTLS:
      state = .over
      actions.append(.close(.failed(error)))
      return
    case .header, .negotiating, .finishing:
      // What is handled shall not be taken for lost together with the stream.
      if state != .header { acknowledge(&actions) }
      var bytes: [UInt8] = []
      // An error is sent inside a stream, even if ours was not open yet, and some peers read nothing after a header
      // without id or from (RFC 6120 §4.7.3, §4.9.1.2).
      if case .header = state {
        let from = addressed ?? environment.servedDomains.min() ?? ""
        bytes += StreamOutput.header(from: from, to: nil, id: environment.nextStreamID())
      }
      StreamOutput.append(StreamOutput.element(error), to: &bytes)
      bytes += XMLWriter.streamFooter
      actions.append(.send(bytes))
    }
    state = .over
    actions.append(.close(.failed(error)))
  }

  mutating func end(_ end: StreamEnd, _ actions: inout [Action]) {
    switch state {
    case .over: return
    case .negotiating, .finishing: actions.append(.send(XMLWriter.streamFooter))
    case .header, .startingTLS, .closing: break
    }
    state = .over
    actions.append(.close(end))
  }

  /// The peer spoke in the clear after it had asked for TLS, or somebody did in its name: nothing is answered, for it
  /// would be read as the start of the handshake (CVE-2011-0411 and its kin).
  private mutating func refuseDuringHandshake(_ actions: inout [Action]) {
    guard state == .startingTLS else { return }
    fail(StreamError(.policyViolation, cause: "data in the clear after <starttls/>"), &actions)
  }

  mutating func finishIfHandled(_ actions: inout [Action]) {
    guard case .finishing = state, stanzas.pending == 0 else { return }
    acknowledge(&actions)
    end(.closed, &actions)
  }

  /// Nothing follows our closing tag.
  mutating func send(_ element: XMLElement, _ actions: inout [Action]) {
    if case .closing = state { return }
    actions.append(.send(StreamOutput.bytes(element)))
  }
}
