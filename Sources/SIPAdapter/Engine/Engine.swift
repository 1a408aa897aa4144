import BrokerCore
import Logging
import SIPCore

/// Everything the adapter decides, without a socket or a clock: bytes, commands and the time go in, actions and events for the
/// broker come out. `SIPAdapter` drives it on its event loop; the tests drive it with a time of their own.
///
/// Spread over files by concern: Link (the connection to the next hop and its health), Flows (connections and what
/// arrives on them), Clients and Servers (transactions), Outgoing (entries of the broker), Sessions, Incoming (requests of
/// the platform).
struct Engine {
  let configuration: SIPConfiguration
  let domains: Set<String>
  var tokens: Tokens
  /// Of our responses outside of dialogs.
  let responseTag: String
  /// As URIs spell it.
  let localHost: String
  /// `host[:port]` as in our Via.
  let sentBy: String

  /// Milliseconds of uptime; never runs backwards.
  var now: Int64
  private(set) var actions: [EngineAction] = []
  private(set) var events: [BrokerEvent] = []
  var timers = Timers<EngineTimer>()

  var link = Link.down(reconnect: nil)
  var isStopped = true
  /// Attempts at the next hop since it last answered.
  var failures = 0
  /// Whether the broker knows that the next hop does not answer; nil: it was told nothing yet.
  var reportedDown: Bool?
  /// When the last attempt began.
  var lastConnect: Int64?

  var flows: [FlowID: Flow] = [:]
  var clients: [UInt64: Client] = [:]
  var clientKeys: [ClientTransactionKey: UInt64] = [:]
  var lastClient: UInt64 = 0
  var servers: [ServerTransactionKey: Server] = [:]

  var queue: PairQueue
  /// What went back of a pair, until the broker shows that it has heard of it.
  var returned: [Pair: Returned] = [:]
  /// How often an entry was refused for the moment: a further attempt is another transaction.
  var attempts: [EntryID: Int] = [:]
  /// Entries whose dialog died under them; a second time they are refused.
  var retried: Set<EntryID> = []

  var sessions: [Pair: IMSession] = [:]
  var dialogs: [Dialog.ID: Pair] = [:]
  var lastSession: UInt64 = 0

  var submissions: [SubmissionID: PendingSubmission] = [:]
  var lastSubmission: UInt64 = 0

  init(_ configuration: SIPConfiguration, listenPort: Int, seed: [UInt8], now: Int64) {
    self.configuration = configuration
    self.now = now
    domains = Set(configuration.domains)
    tokens = Tokens(seed: seed)
    responseTag = tokens.next()
    localHost = Self.uriHost(configuration.localHost.asciiLowercased)
    sentBy = "\(localHost):\(configuration.advertisedPort ?? listenPort)"
    queue = PairQueue(limit: configuration.limits.heldEntries)
  }

  /// An IPv6 address in the brackets that URIs want.
  static func uriHost(_ host: String) -> String {
    host.utf8.contains(UInt8(ascii: ":")) && !host.hasPrefix("[") ? "[\(host)]" : host
  }

  // MARK: Output

  mutating func act(_ action: EngineAction) { actions.append(action) }

  mutating func tell(_ event: BrokerEvent) { events.append(event) }

  mutating func observe(_ event: SIPAdapterEvent) { actions.append(.observe(event)) }

  mutating func log(_ level: Logger.Level, _ text: String) { actions.append(.log(level, text)) }

  mutating func takeActions() -> [EngineAction] {
    defer { actions.removeAll(keepingCapacity: true) }
    return actions
  }

  mutating func takeEvents() -> [BrokerEvent] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  // MARK: Time

  mutating func start(_ timer: EngineTimer, after duration: Duration) -> TimerID {
    timers.start(timer, after: duration.milliseconds, now: now)
  }

  mutating func advance(to now: Int64) {
    self.now = now
    while let timer = timers.takeDue(now: now) { fired(timer) }
  }

  private mutating func fired(_ timer: EngineTimer) {
    switch timer {
    case .reconnect:
      link = .down(reconnect: nil)
      connect()
    case .flow(let flow): checkFlow(flow)
    case .client(let number, let timer): clientTimerFired(number, timer)
    case .server(let key, let timer): serverTimerFired(key, timer)
    case .submission(let id): submissionTimedOut(id)
    case .inviteDeadline(let pair, let serial): inviteRangTooLong(pair, serial)
    case .acknowledgement(let pair, let serial): acknowledgementIsMissing(pair, serial)
    case .glare(let pair, let serial): inviteAgain(pair, serial)
    case .idle(let pair, let serial): checkIdleSession(pair, serial)
    }
  }

  // MARK: Commands of the broker

  mutating func perform(_ commands: [AdapterCommand], now: Int64) {
    self.now = now
    for command in commands {
      switch command {
      case .deliver(let entry): deliver(entry)
      case .signal(let signal, _): relay(signal)
      case .answer(let id, let answer): self.answer(id, answer)
      }
    }
    pump()
  }
}
