import BrokerCore
import SIPCore

// Entries of the broker on their way to the platform.
extension Engine {
  mutating func deliver(_ entry: Entry) {
    if mustFollow(entry) {
      let error = DeliveryError(
        .remoteServerTimeout, text: "The server of the recipient does not answer.",
        detail: "an older message of the same conversation has to go first")
      return tell(.deferred([entry.id], error))
    }
    switch queue.add(entry) {
    case .known: break
    case .queued: if case .down = link { connectSoon() }
    case .full:
      giveBack([entry.id], of: Pair(entry), Self.overload(configuration.limits.heldEntries, "entries"))
    }
  }

  static func overload(_ limit: Int, _ what: String) -> DeliveryError {
    DeliveryError(
      .resourceConstraint, text: "Too many messages are on their way.",
      detail: "SIP adapter has its limit of \(limit) \(what)")
  }

  /// Whether the broker sent the entry off before it heard that older ones of the pair are back with it. Then it has to
  /// go back as well, or it would overtake them. One that was given back and comes again shows that the broker has heard.
  private mutating func mustFollow(_ entry: Entry) -> Bool {
    let pair = Pair(entry)
    guard let record = returned[pair] else { return false }
    if record.ids.contains(entry.id) || now >= record.until {
      returned[pair] = nil
      return false
    }
    returned[pair]?.ids.insert(entry.id)
    return true
  }

  mutating func remember(_ ids: [EntryID], of pair: Pair, until: Int64) {
    // Pairs of which the broker had nothing left to send again. Without the record their next entry goes at once.
    if returned.count >= configuration.limits.heldEntries { returned = [:] }
    var record = returned.removeValue(forKey: pair) ?? Returned()
    record.ids.formUnion(ids)
    record.until = max(record.until, until)
    returned[pair] = record
  }

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
  /// - Parameter session: the serial number of the one it was sent in. The pair may have another by now.
  mutating func messageConcluded(_ entry: Entry, _ response: SIPResponse?, session serial: UInt64?) {
    if let response, response.isProvisional { return }
    defer { pump() }
    let pair = Pair(entry)
    let inSession = serial != nil
    let isCurrent = inSession && sessions[pair]?.serial == serial
    guard let response else {
      if isCurrent { endSession(pair, sayBye: true) }
      return giveBack(
        pair,
        DeliveryError(
          .remoteServerTimeout, text: "The recipient's server did not answer in time.",
          detail: "MESSAGE: no final response"))
    }
    switch response.status {
    case 200..<300:
      if isCurrent { sessions[pair]?.lastActivity = now }
      attempts[entry.id] = nil
      retried.remove(entry.id)
      _ = queue.finished(entry)
      tell(.delivered(entry.id))
    // The dialog is dead: the user's client is gone or was started anew. Once more with a new one.
    case 408 where inSession && retry(entry), 480 where inSession && retry(entry), 481 where inSession && retry(entry):
      if isCurrent { endSession(pair, sayBye: response.status != 481) }
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

  /// The pair has to wait: everything of it goes back.
  mutating func giveBack(_ pair: Pair, _ error: DeliveryError) {
    giveBack(queue.giveBack(pair), of: pair, error)
  }

  private mutating func giveBack(_ ids: [EntryID], of pair: Pair, _ error: DeliveryError) {
    guard !ids.isEmpty else { return }
    for id in ids { retried.remove(id) }
    remember(ids, of: pair, until: .max)
    tell(.deferred(ids, error))
  }
}
