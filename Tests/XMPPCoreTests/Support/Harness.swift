import XMLStreaming
import XMPPCore

let testKeys = DialbackKeys(secret: Array("ours".utf8), crypto: DialbackKeyTests.crypto)
let otherKeys = DialbackKeys(secret: Array("theirs".utf8), crypto: DialbackKeyTests.crypto)

extension PeerIdentity {
  static func certificate(for domains: String..., untrusted: String? = nil) -> PeerIdentity {
    PeerIdentity(untrusted: untrusted, names: { domains.contains($0) })
  }
}

/// An `InboundStream` with a parser, as the adapter drives it; what it does is kept.
struct Receiver {
  var machine: InboundStream
  let parser = XMLStreamParser(limits: .beforeAuthentication)
  var now = StreamTime(milliseconds: 0)
  var sent = ""
  var startedTLS = false
  var stanzas: [(Stanza, UInt64)] = []
  var refused: [(pair: DomainPair, answer: String?, number: UInt64)] = []
  var requests: [DialbackRequest] = []
  var authenticated: [(DomainPair, AuthenticationMethod)] = []
  var end: StreamEnd?

  init(
    policies: [String: StreamPolicy] = ["partner.test": StreamPolicy()],
    served: Set<String> = ["corp.test", "other.test"], limits: InboundLimits = InboundLimits()
  ) {
    // Ids count up, so that a test can know them: stream-1, stream-2 …
    var count = 0
    machine = InboundStream(
      environment: InboundEnvironment(
        servedDomains: served, policy: { policies[$0] }, keys: testKeys,
        nextStreamID: {
          count += 1
          return "stream-\(count)"
        }, limits: limits),
      now: now)
  }

  static let header = header()

  static func header(
    from: String? = "partner.test", to: String? = "corp.test", version: String? = "1.0",
    xmlns: String = "jabber:server", streams: String = "http://etherx.jabber.org/streams"
  ) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='\(xmlns)' xmlns:stream='\(streams)' xmlns:db='jabber:server:dialback'"
      + (from.map { " from='\($0)'" } ?? "") + (to.map { " to='\($0)'" } ?? "")
      + (version.map { " version='\($0)'" } ?? "") + ">"
  }

  mutating func receive(_ text: String) { receive(Array(text.utf8)) }

  mutating func receive(_ bytes: [UInt8]) {
    var events: [XMLStreamEvent] = []
    var actions: [InboundStream.Action] = []
    var failure: XMLStreamError?
    machine.received(now: now)
    do { try parser.feed(bytes, into: &events) } catch { failure = error }
    for event in events {
      switch event {
      case .opened(let root, let namespaces):
        machine.opened(root.name, StreamHeader(root), defaultNamespace: namespaces[""] ?? "", &actions)
      case .element(let element): machine.received(element, now: now, &actions)
      case .closed: machine.closed(now: now, &actions)
      }
    }
    if let failure { machine.failed(failure, &actions) }
    run(actions)
  }

  mutating func secure(_ identity: PeerIdentity) {
    var actions: [InboundStream.Action] = []
    machine.secured(identity, &actions)
    run(actions)
  }

  mutating func handled(_ number: UInt64) {
    var actions: [InboundStream.Action] = []
    machine.handled(number, &actions)
    run(actions)
  }

  mutating func verified(_ request: DialbackRequest, _ outcome: DialbackOutcome) {
    var actions: [InboundStream.Action] = []
    machine.verified(request, outcome, &actions)
    run(actions)
  }

  mutating func pass(_ duration: Duration) {
    now = now + duration
    var actions: [InboundStream.Action] = []
    machine.timePassed(now: now, &actions)
    run(actions)
  }

  mutating func close() {
    var actions: [InboundStream.Action] = []
    machine.close(now: now, &actions)
    run(actions)
  }

  mutating func run(_ actions: [InboundStream.Action]) {
    for action in actions {
      precondition(end == nil, "an action after the end")
      switch action {
      case .send(let bytes): sent += String(decoding: bytes, as: UTF8.self)
      case .startTLS: startedTLS = true
      case .restart(let limits):
        parser.limits = limits
        parser.reset()
      case .limits(let limits): parser.limits = limits
      case .verify(let request): requests.append(request)
      case .authenticated(let pair, let method): authenticated.append((pair, method))
      case .stanza(let stanza, let number): stanzas.append((stanza, number))
      case .refuse(let pair, let answer, let number):
        refused.append((pair, answer.map { String(decoding: StreamOutput.bytes($0), as: UTF8.self) }, number))
      case .close(let end): self.end = end
      }
    }
  }

  /// What was sent since the last call.
  mutating func takeSent() -> String {
    defer { sent = "" }
    return sent
  }

  /// The error the stream was ended with.
  var error: StreamError.Condition? {
    guard case .failed(let error) = end else { return nil }
    return error.condition
  }

  /// Ready for stanzas from partner.test to corp.test, by certificate.
  static func authenticated(limits: InboundLimits = InboundLimits()) -> Receiver {
    var receiver = Receiver(limits: limits)
    receiver.receive(header)
    receiver.receive("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    receiver.secure(.certificate(for: "partner.test"))
    receiver.receive(header)
    receiver.receive("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
    receiver.receive(header)
    receiver.sent = ""
    return receiver
  }
}

/// An `OutboundStream` with a parser.
struct Initiator {
  var machine: OutboundStream
  let parser = XMLStreamParser(limits: .beforeAuthentication)
  var now = StreamTime(milliseconds: 0)
  var sent = ""
  var startedTLS = false
  var established: (AuthenticationMethod, DeliveryConfirmation.Method)?
  var confirmed: [UInt64] = []
  var verified: DialbackOutcome?
  var isLeaving = false
  var isClosed = false
  var failure: StreamFailure?

  init(
    policy: StreamPolicy = StreamPolicy(), purpose: OutboundEnvironment.Purpose = .stanzas, tryExternal: Bool = true,
    keys: DialbackKeys = testKeys
  ) {
    machine = OutboundStream(
      environment: OutboundEnvironment(
        pair: DomainPair(local: "corp.test", remote: "partner.test"), purpose: purpose, policy: policy, keys: keys,
        tryExternal: tryExternal, pingPrefix: "ping-"),
      now: now)
  }

  mutating func start(_ identity: PeerIdentity? = nil) {
    var actions: [OutboundStream.Action] = []
    machine.start(identity: identity, &actions)
    run(actions)
  }

  mutating func receive(_ text: String) { receive(Array(text.utf8)) }

  mutating func receive(_ bytes: [UInt8]) {
    var events: [XMLStreamEvent] = []
    var actions: [OutboundStream.Action] = []
    var failure: XMLStreamError?
    do { try parser.feed(bytes, into: &events) } catch { failure = error }
    for event in events {
      switch event {
      case .opened(let root, let namespaces):
        machine.opened(root.name, StreamHeader(root), defaultNamespace: namespaces[""] ?? "", now: now, &actions)
      case .element(let element): machine.received(element, now: now, &actions)
      case .closed: machine.closed(&actions)
      }
    }
    if let failure { machine.failed(failure, &actions) }
    run(actions)
  }

  mutating func secure(_ identity: PeerIdentity) {
    var actions: [OutboundStream.Action] = []
    machine.secured(identity, &actions)
    run(actions)
  }

  /// Sends a message.
  mutating func deliver(_ token: UInt64?) {
    sent += "<message from='a@corp.test' to='b@partner.test' id='\(token ?? 0)'><body>hi</body></message>"
    machine.sent(token, now: now)
  }

  mutating func flush() {
    var actions: [OutboundStream.Action] = []
    machine.flush(now: now, &actions)
    run(actions)
  }

  mutating func answered(_ id: String) -> Bool {
    var actions: [OutboundStream.Action] = []
    defer { run(actions) }
    return machine.answered(id: id, now: now, &actions)
  }

  mutating func pass(_ duration: Duration) {
    now = now + duration
    var actions: [OutboundStream.Action] = []
    machine.timePassed(now: now, &actions)
    run(actions)
  }

  mutating func close() {
    var actions: [OutboundStream.Action] = []
    machine.close(now: now, &actions)
    run(actions)
  }

  mutating func run(_ actions: [OutboundStream.Action]) {
    for action in actions {
      precondition(!isClosed, "an action after the end")
      switch action {
      case .send(let bytes): sent += String(decoding: bytes, as: UTF8.self)
      case .startTLS: startedTLS = true
      case .restart(let limits):
        parser.limits = limits
        parser.reset()
      case .established(let method, let confirmation): established = (method, confirmation)
      case .confirmed(let tokens): confirmed += tokens
      case .leaving: isLeaving = true
      case .verified(let outcome): verified = outcome
      case .close(let failure):
        isClosed = true
        self.failure = failure
      }
    }
  }

  mutating func takeSent() -> String {
    defer { sent = "" }
    return sent
  }

  static let header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    + "xmlns:db='jabber:server:dialback' id='their-1' from='partner.test' to='corp.test' version='1.0'>"
}

/// The bytes of both, in turns, until neither has anything to say; with TLS whenever it is asked for.
struct Conversation {
  var initiator: Initiator
  var receiver: Receiver
  /// What each shows in the handshake.
  var initiatorIdentity = PeerIdentity.certificate(for: "corp.test")
  var receiverIdentity = PeerIdentity.certificate(for: "partner.test")
  /// Answers the receiver's dialback questions.
  var authority: (DialbackRequest) -> DialbackOutcome = { request in
    let pair = request.pair
    let valid = testKeys.isValid(
      request.key, receiving: pair.local, originating: pair.remote, streamID: request.streamID)
    return valid ? .valid : .invalid
  }
  /// Bytes in one segment.
  var segment = Int.max

  init(initiator: Initiator, receiver: Receiver) {
    self.initiator = initiator
    self.receiver = receiver
  }

  /// The receiver plays partner.test, the initiator corp.test.
  static func receiver(_ policy: StreamPolicy) -> Receiver {
    Receiver(policies: ["corp.test": policy], served: ["partner.test"])
  }

  mutating func run() {
    while true {
      let out = Array(initiator.takeSent().utf8)
      for part in split(out) where receiver.end == nil { receiver.receive(part) }
      while let request = receiver.requests.popLast() { receiver.verified(request, authority(request)) }
      let back = Array(receiver.takeSent().utf8)
      for part in split(back) where !initiator.isClosed { initiator.receive(part) }
      if initiator.startedTLS, receiver.startedTLS {
        initiator.startedTLS = false
        receiver.startedTLS = false
        receiver.secure(initiatorIdentity)
        initiator.secure(receiverIdentity)
      }
      if initiator.sent.isEmpty, receiver.sent.isEmpty { return }
    }
  }

  private func split(_ bytes: [UInt8]) -> [[UInt8]] {
    guard segment < bytes.count else { return bytes.isEmpty ? [] : [bytes] }
    return stride(from: 0, to: bytes.count, by: segment).map { Array(bytes[$0..<min($0 + segment, bytes.count)]) }
  }
}
