import BrokerCore
import Logging
import SIPCore

// The connection to the next hop: opened at the start, kept, watched, and opened again when it is lost. Nothing is sent
// on a new one before the next hop has answered an OPTIONS: what is written to a process that is stopped waits in its
// kernel, and every attempt would add another copy.
extension Engine {
  mutating func begin(now: Int64) {
    self.now = now
    isStopped = false
    connect()
  }

  /// Ends sessions and connections. The broker's entries are its own again without a word.
  mutating func stop(now: Int64) {
    self.now = now
    isStopped = true
    for pair in Array(sessions.keys) { endSession(pair, sayBye: true) }
    for flow in Array(flows.keys) { act(.close(flow)) }
  }

  mutating func connect() {
    guard !isStopped, case .down(let timer) = link else { return }
    timers.stop(timer)
    link = .connecting
    lastConnect = now
    act(.connect)
  }

  /// The broker has something to send: do not wait for the end of a long pause.
  mutating func connectSoon() {
    guard !isStopped, case .down = link else { return }
    let pause = configuration.times.reconnectMinimum.milliseconds
    if let lastConnect, now - lastConnect < pause { return }
    connect()
  }

  /// The next hop is connected and has proved its name.
  mutating func linkOpened(_ flow: FlowID) {
    link = .probing(flow)
    probe(flow)
  }

  /// The next hop answered on the link.
  mutating func linkAnswered() {
    guard case .probing(let flow) = link else { return }
    link = .up(flow)
    failures = 0
    reportedDown = false
    observe(.linkUp)
    log(.info, "next hop answers: \(flows[flow]?.peer ?? "")")
    for domain in configuration.domains { tell(.reached(destination(domain))) }
    pump()
  }

  /// No connection to the next hop came about, or the one there was is gone.
  mutating func linkFailed(_ reason: String, _ permanence: BrokerEvent.Permanence, now: Int64) {
    self.now = now
    linkLost(reason, permanence)
  }

  mutating func linkLost(_ reason: String, _ permanence: BrokerEvent.Permanence) {
    let pause = reconnectPause()
    failures += 1
    link = .down(reconnect: isStopped ? nil : start(.reconnect, after: pause))
    if isStopped { return }
    let isNews = reportedDown != true
    log(isNews ? .warning : .debug, "next hop does not answer: \(reason); next attempt in \(pause.milliseconds) ms")
    if isNews { observe(.linkDown) }
    guard isNews || queue.count > 0 else { return }
    reportedDown = true
    // The broker may tell the senders at once that it is over, and then none of these comes again.
    let until = now + configuration.times.settle.milliseconds
    for (pair, ids) in queue.giveBackAll() { remember(ids, of: pair, until: until) }
    for pair in Array(sessions.keys) {
      sessions[pair]?.waiting = nil
      if case .glare = sessions[pair]?.state { endSession(pair, sayBye: false) }
    }
    retried = []
    let error = DeliveryError(
      .remoteServerTimeout, text: "The server of the recipient does not answer.", detail: "SIP next hop: \(reason)")
    for domain in configuration.domains { tell(.lost(destination(domain), error, permanence)) }
  }

  func destination(_ domain: String) -> Destination {
    Destination(adapter: configuration.adapter, domain: domain)
  }

  /// Doubling, with jitter over the second half.
  private mutating func reconnectPause() -> Duration {
    let longest = configuration.times.reconnectMaximum.milliseconds
    let pause = min(longest, configuration.times.reconnectMinimum.milliseconds << Int64(min(failures, 16)))
    return .milliseconds(pause / 2 + tokens.random(below: pause / 2 + 1))
  }

  /// OPTIONS to the next hop itself: with Max-Forwards 0 nobody behind it is bothered (RFC 3261 §11.1, §20.22).
  mutating func probe(_ flow: FlowID) {
    flows[flow]?.probed = now
    var request = SIPRequest(.options, uriText: "sip:\(Self.uriHost(configuration.nextHop.host))")
    request.headers.append(.maxForwards, "0")
    request.headers.append(.from, "<sip:\(localHost)>;tag=\(tokens.next())")
    request.headers.append(.to, "<\(request.uriText)>")
    request.headers.append(.callID, tokens.next())
    request.headers.append(.cSeq, CSeq(1, .options).description)
    send(request, on: flow, purpose: .probe)
  }
}
