import BrokerCore
import Logging
import SIPCore

// Connections: what arrives on them, whether they live, what they may cost.
extension Engine {
  /// How often each connection is looked at.
  static let flowCheckInterval = Duration.seconds(1)

  /// - Parameter isLink: we dialled it, it is the connection to the next hop.
  mutating func flowOpened(_ id: FlowID, isLink: Bool, isTrusted: Bool, peer: String, now: Int64) {
    self.now = now
    if isStopped { return act(.close(id)) }
    var flow = Flow(
      framer: StreamFramer(limits: isTrusted ? configuration.limits.message : configuration.limits.untrustedMessage),
      direction: isLink ? .outbound : .inbound,
      isTrusted: isTrusted, peer: peer, opened: now, lastReceived: now)
    flow.check = start(.flow(id), after: Self.flowCheckInterval)
    flows[id] = flow
    observe(.connectionOpened(flow.direction))
    if isLink { linkOpened(id) }
    if !isTrusted {
      observe(.peerRefused)
      log(.warning, "peer refused: \(peer)")
    }
  }

  mutating func received(_ bytes: UnsafeRawBufferPointer, on id: FlowID, now: Int64) {
    self.now = now
    guard flows[id] != nil else { return }
    unsafe flows[id]?.framer.append(bytes)
    flows[id]?.lastReceived = now
    flows[id]?.probed = nil
    while let event = flows[id]?.framer.next() { handle(event, on: id) }
    if flows[id]?.framer.isPartial != true {
      flows[id]?.partialSince = nil
    } else if flows[id]?.partialSince == nil {
      flows[id]?.partialSince = now
    }
    pump()
  }

  private mutating func handle(_ event: StreamFramer.Event, on id: FlowID) {
    guard flows[id]?.isTrusted == true else { return refusePeer(event, on: id) }
    // A part that waits now belongs to a later message.
    flows[id]?.partialSince = nil
    switch event {
    case .message(.request(let request)): receive(request, on: id)
    case .message(.response(let response)): receive(response, on: id)
    case .ping: act(.write(id, StreamFramer.pong))
    case .malformed(let request, let defect):
      reject(request, defect, on: id)
      countMalformed(defect, on: id)
    case .dropped(let defect): countMalformed(defect, on: id)
    case .broken(let request, let defect):
      if let request { reject(request, defect, on: id) }
      observe(.malformed(status: defect.status))
      log(.notice, "connection from \(flows[id]?.peer ?? "") cannot be read: \(defect.text)")
      act(.close(id))
    }
  }

  private mutating func refusePeer(_ event: StreamFramer.Event, on id: FlowID) {
    switch event {
    case .ping: return
    case .message(.request(let request)), .malformed(let request, _), .broken(let request?, _):
      reject(request, SIPDefect(403, "Peer is not trusted"), on: id)
    case .message(.response), .dropped, .broken(nil, _): break
    }
    act(.close(id))
  }

  mutating func countMalformed(_ defect: SIPDefect, on id: FlowID) {
    observe(.malformed(status: defect.status))
    flows[id]?.malformed += 1
    if let flow = flows[id], flow.malformed == configuration.limits.malformedMessages {
      log(.notice, "connection from \(flow.peer) closed: \(flow.malformed) malformed messages, last: \(defect.text)")
      act(.close(id))
    }
  }

  mutating func flowClosed(_ id: FlowID, reason: String, _ permanence: BrokerEvent.Permanence, now: Int64) {
    self.now = now
    guard let flow = flows.removeValue(forKey: id) else { return }
    timers.stop(flow.check)
    observe(.connectionClosed(flow.direction))
    let isLink = link.flow == id
    if isLink { linkLost(reason, permanence) }
    if flow.requests > 0 { abandonClients(on: id) }
    for (pair, session) in sessions where session.flow == id { sessions[pair]?.flow = nil }
    pump()
  }

  mutating func checkFlow(_ id: FlowID) {
    guard let flow = flows[id] else { return }
    let check = start(.flow(id), after: Self.flowCheckInterval)
    flows[id]?.check = check
    let times = configuration.times
    let silence = now - flow.lastReceived
    if !flow.isTrusted {
      if now - flow.opened >= times.untrustedDeadline.milliseconds { act(.close(id)) }
    } else if let since = flow.partialSince, now - since >= times.messageDeadline.milliseconds {
      act(.abort(id, "a message was not complete after \(times.messageDeadline.milliseconds) ms"))
    } else if let probed = flow.probed {
      guard now - probed >= times.probeTimeout.milliseconds else { return }
      act(.abort(id, "no answer to OPTIONS within \(times.probeTimeout.milliseconds) ms"))
      // Not to be abandoned twice while the transport takes its leave.
      flows[id]?.probed = nil
    } else if link.flow == id || flow.requests > 0 {
      if silence >= times.probeAfter.milliseconds, !flow.isPaused { probe(id) }
    } else if silence >= times.acceptedIdle.milliseconds {
      act(.close(id))
    }
  }
}
