import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

/// The engine with a platform that a test plays and a time that a test moves.
struct SIPHarness {
  static let alice = Address(user: "alice", domain: "partner.test")
  static let bob = Address(user: "bob", domain: "corp.test")
  static let link: FlowID = 1
  static let inbound: FlowID = 2

  var engine: Engine
  var now: Int64 = 1_000_000
  var actions: [EngineAction] = []
  var events: [BrokerEvent] = []
  /// What the engine sent and no test has looked at.
  var sent: [(flow: FlowID, message: SIPMessage)] = []
  private var framers: [FlowID: StreamFramer] = [:]
  private var lastEntry: UInt64 = 0

  static func configuration(_ mode: SIPConfiguration.Mode = .page) -> SIPConfiguration {
    SIPConfiguration(
      adapter: AdapterID("corp"), domains: ["corp.test"], mode: mode, transport: .tls,
      nextHop: .init(host: "sip.corp.test"), localHost: "gw.corp.test")
  }

  /// - Parameter up: the next hop is connected and has answered.
  init(_ configuration: SIPConfiguration = SIPHarness.configuration(), up: Bool = true) {
    engine = Engine(configuration, listenPort: 5061, seed: [1, 2, 3], now: now)
    engine.begin(now: now)
    drain()
    if up { bringUp() }
  }

  mutating func bringUp() {
    engine.flowOpened(Self.link, isLink: true, isTrusted: true, peer: "192.0.2.1:5061", now: now)
    drain()
    guard let probe = nextRequest() else { return }
    reply(to: probe, 200, on: Self.link)
    events.removeAll()
    actions.removeAll()
  }

  mutating func open(_ flow: FlowID = SIPHarness.inbound, trusted: Bool = true) {
    engine.flowOpened(flow, isLink: false, isTrusted: trusted, peer: "192.0.2.9:40000", now: now)
    drain()
  }

  mutating func close(_ flow: FlowID) {
    engine.flowClosed(flow, reason: "test", .transient, now: now)
    drain()
  }

  mutating func drain() {
    for action in engine.takeActions() {
      actions.append(action)
      guard case .write(let flow, let bytes) = action else { continue }
      var framer = framers[flow] ?? StreamFramer()
      framer.append(bytes)
      while let event = framer.next() {
        if case .message(let message) = event { sent.append((flow, message)) }
      }
      framers[flow] = framer
    }
    events += engine.takeEvents()
  }

  mutating func pass(_ duration: Duration) {
    let end = now + duration.milliseconds
    while let due = engine.timers.nextDeadline(), due <= end {
      now = max(now, due)
      engine.advance(to: now)
      drain()
    }
    now = end
  }

  // MARK: The platform's side

  mutating func feed(_ bytes: [UInt8], on flow: FlowID = SIPHarness.inbound) {
    bytes.withUnsafeBytes { engine.received($0, on: flow, now: now) }
    drain()
  }

  mutating func feed(_ text: String, on flow: FlowID = SIPHarness.inbound) {
    feed(Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8), on: flow)
  }

  /// The next thing that went out, if it is a request.
  mutating func nextRequest() -> SIPRequest? {
    guard !sent.isEmpty, case .request(let request) = sent.removeFirst().message else { return nil }
    return request
  }

  mutating func nextResponse() -> SIPResponse? {
    guard !sent.isEmpty, case .response(let response) = sent.removeFirst().message else { return nil }
    return response
  }

  mutating func reply(
    to request: SIPRequest, _ status: Int, tag: String = "peer", on flow: FlowID = SIPHarness.link,
    adding headers: [(HeaderName, String)] = []
  ) {
    var response = request.response(status, toTag: tag)
    for (name, value) in headers { response.headers.append(name, value) }
    feed(response.bytes, on: flow)
  }

  /// A request of bob's to alice.
  static func request(
    _ method: String, branch: String = "b1", callID: String = "c1", cSeq: Int = 1, from: String = "<sip:bob@corp.test>",
    to: String = "<sip:alice@partner.test>", uri: String = "sip:alice@partner.test", fromTag: String = "ft",
    extra: String = "", type: String? = nil, body: String = ""
  ) -> String {
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    let content = type.map { "Content-Type: \($0)\n" } ?? ""
    return """
      \(method) \(uri) SIP/2.0
      Via: SIP/2.0/TLS sip.corp.test;branch=z9hG4bK\(branch)
      Max-Forwards: 70
      From: \(from);tag=\(fromTag)
      To: \(to)
      Call-ID: \(callID)
      CSeq: \(cSeq) \(method)
      \(extra)\(content)Content-Length: \(lines.utf8.count)


      """ + body
  }

  static func message(
    _ text: String, branch: String = "b1", callID: String = "c1", cSeq: Int = 1,
    to: String = "<sip:alice@partner.test>",
    uri: String = "sip:alice@partner.test", extra: String = "", type: String = "text/plain;charset=UTF-8"
  ) -> String {
    request(
      "MESSAGE", branch: branch, callID: callID, cSeq: cSeq, to: to, uri: uri, extra: extra, type: type, body: text)
  }

  static let offer = "v=0\no=- 0 0 IN IP4 10.0.0.1\ns=session\nc=IN IP4 10.0.0.1\nt=0 0\nm=message 5060 sip null\n"

  static func invite(branch: String = "i1", callID: String = "s1", cSeq: Int = 1, body: String = offer) -> String {
    request(
      "INVITE", branch: branch, callID: callID, cSeq: cSeq,
      extra: "Contact: <sip:bob@10.0.0.1;opaque=user:epid:x;gruu>\nRecord-Route: <sip:fe.corp.test;lr;ms-key-info=A>\n",
      type: "application/sdp", body: body)
  }

  // MARK: The broker's side

  @discardableResult
  mutating func deliver(
    _ text: String, from: Address = SIPHarness.alice, to: Address = SIPHarness.bob, thread: String? = nil,
    id: UInt64? = nil
  ) -> Entry {
    lastEntry += 1
    let message = Message(id: "m\(lastEntry)", from: from, to: to, body: text, thread: thread)
    let entry = Self.entry(id ?? lastEntry, .message(message))
    perform(.deliver(entry))
    return entry
  }

  static func entry(_ id: UInt64, _ content: Entry.Content) -> Entry {
    Entry(
      id: EntryID(rawValue: id), destination: Destination(adapter: AdapterID("corp"), domain: "corp.test"),
      content: content, accepted: Timestamp(milliseconds: 1_795_255_200_000),
      expires: Timestamp(milliseconds: 1_795_258_800_000))
  }

  mutating func perform(_ commands: AdapterCommand...) {
    engine.perform(commands, now: now)
    drain()
  }

  mutating func nextEvent() -> BrokerEvent? { events.isEmpty ? nil : events.removeFirst() }

  mutating func nextSubmission() -> Submission? {
    if case .submitted(let submission) = nextEvent() { submission } else { nil }
  }

  /// Events in one line each.
  mutating func takeEvents() -> [String] {
    defer { events.removeAll() }
    return events.map {
      switch $0 {
      case .submitted(let submission): "submitted \(submission.message.body)"
      case .signalled(let signal): "signalled \(signal.kind)"
      case .delivered(let id): "delivered \(id.rawValue)"
      case .refused(let id, let error): "refused \(id.rawValue) \(error.condition.rawValue)"
      case .deferred(let ids, let error): "deferred \(ids.map(\.rawValue)) \(error.condition.rawValue)"
      case .reached(let destination): "reached \(destination.domain)"
      case .lost(let destination, _, let permanence): "lost \(destination.domain) \(permanence)"
      }
    }
  }

  func hasAction(_ matches: (EngineAction) -> Bool) -> Bool { actions.contains(where: matches) }

  var isClosed: Bool {
    hasAction {
      switch $0 {
      case .close, .abort: true
      default: false
      }
    }
  }
}

/// `#require` for the results of mutating calls, which the macro cannot take.
func found<T>(_ value: T?, sourceLocation: SourceLocation = #_sourceLocation) throws -> T {
  try #require(value, sourceLocation: sourceLocation)
}
