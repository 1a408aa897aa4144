import BrokerCore
import SIPCore

// Entries of the broker on their way to the platform.
extension Engine {
  mutating func deliver(_ entry: Entry) {
    let pair = Pair(entry)
    // The broker sent it off before it knew that older ones came back. It has to stay behind them.
    if now < linkSettles { return tell(.deferred([entry.id], Self.settling)) }
    if let until = unsettled[pair] {
      if now < until { return tell(.deferred([entry.id], Self.settling)) }
      unsettled[pair] = nil
    }
    switch queue.add(entry) {
    case .known: break
    case .queued: if case .down = link { connectSoon() }
    case .full:
      tell(
        .deferred(
          [entry.id],
          DeliveryError(
            .resourceConstraint, text: "Too many messages are waiting.",
            detail: "SIP adapter holds its limit of \(configuration.limits.heldEntries) entries")))
    }
  }

  private static let settling = DeliveryError(
    .remoteServerTimeout, text: "The server of the recipient does not answer.",
    detail: "an older message of the same conversation has to go first")

  /// Sends off what may go.
  mutating func pump() {
    guard case .up(let flow) = link else { return }
    while queue.underWay < configuration.limits.outstandingRequests, let entry = queue.next() {
      sendOff(entry, on: flow)
    }
  }

  private mutating func sendOff(_ entry: Entry, on flow: FlowID) {
    let pair = Pair(entry)
    if let session = sessions[pair] {
      switch session.state {
      case .established: sendInSession(entry, pair)
      case .paged: page(entry, on: flow)
      case .inviting, .glare, .answering: sessions[pair]?.waiting = entry
      }
    } else if configuration.mode == .session {
      openSession(pair, for: entry, on: flow)
    } else {
      page(entry, on: flow)
    }
  }

  /// RFC 7572 §4. The branch, the tag and the number come from the entry, so that a repetition after a restart of ours is
  /// the same transaction to whoever still knows it.
  mutating func page(_ entry: Entry, on flow: FlowID) {
    let content = OutgoingMessage(entry)
    let identity = "\(String(entry.id.rawValue, radix: 36)).\(String(entry.accepted.milliseconds, radix: 36))"
    let target = AddressMapping.uri(entry.recipient)
    var request = SIPRequest(.message, uriText: target.description)
    request.headers.append(.maxForwards, "70")
    let sender = AddressMapping.uri(entry.sender, withEndpoint: configuration.endpointInFrom)
    request.headers.append(.from, "<\(sender)>;tag=\(identity)")
    request.headers.append(.to, "<\(AddressMapping.uri(entry.recipient, withEndpoint: false))>")
    request.headers.append(.callID, content.callID ?? "\(identity)@\(localHost)")
    request.headers.append(.cSeq, CSeq(1, .message).description)
    content.fill(&request)
    let attempt = attempts[entry.id].map { ".\($0)" } ?? ""
    send(request, on: flow, purpose: .page(entry), branch: "\(Via.magicCookie)\(identity)\(attempt)")
  }

  /// The final response to an entry's MESSAGE, or nil if none came.
  mutating func messageConcluded(_ entry: Entry, _ response: SIPResponse?, inSession: Bool) {
    if let response, response.isProvisional { return }
    defer { pump() }
    let pair = Pair(entry)
    guard let response else {
      if inSession { endSession(pair, sayBye: true) }
      return giveBack(
        pair,
        DeliveryError(
          .remoteServerTimeout, text: "The recipient's server did not answer in time.",
          detail: "MESSAGE: no final response"))
    }
    switch response.status {
    case 200..<300:
      if inSession { sessions[pair]?.lastActivity = now }
      attempts[entry.id] = nil
      retried.remove(entry.id)
      _ = queue.finished(entry)
      tell(.delivered(entry.id))
    // The dialog is dead: the user's client is gone or was started anew. Once more with a new one.
    case 408 where inSession && retry(entry), 480 where inSession && retry(entry), 481 where inSession && retry(entry):
      endSession(pair, sayBye: response.status != 481)
      queue.again(entry)
    // The dialog does not take it; outside of one it may go.
    case 415 where inSession && retry(entry), 488 where inSession && retry(entry):
      if let flow = link.flow { page(entry, on: flow) }
    // RFC 3261 §21.5.4: for the moment.
    case 503:
      if attempts.count >= configuration.limits.heldEntries { attempts = [:] }
      attempts[entry.id, default: 0] += 1
      giveBack(pair, StatusMapping.error(response, to: "MESSAGE"))
    default:
      refuse(entry, StatusMapping.error(response, to: "MESSAGE"))
    }
  }

  private mutating func retry(_ entry: Entry) -> Bool { queue.holds(entry.id) && retried.insert(entry.id).inserted }

  mutating func refuse(_ entry: Entry, _ error: DeliveryError) {
    attempts[entry.id] = nil
    retried.remove(entry.id)
    _ = queue.finished(entry)
    tell(.refused(entry.id, error))
  }

  /// The pair has to wait: everything of it goes back, and what the broker has already sent off follows.
  mutating func giveBack(_ pair: Pair, _ error: DeliveryError) {
    let ids = queue.giveBack(pair)
    guard !ids.isEmpty else { return }
    for id in ids { retried.remove(id) }
    if unsettled.count >= configuration.limits.heldEntries {
      unsettled = unsettled.filter { $0.value > now }
    }
    unsettled[pair] = now + configuration.times.settle.milliseconds
    tell(.deferred(ids, error))
  }
}
