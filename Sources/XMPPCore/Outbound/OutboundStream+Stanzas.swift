import XMLStreaming

extension OutboundStream {
  /// The stream is authenticated and shows what else it can do.
  mutating func begin(_ features: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    guard features.child("sm", Namespace.streamManagement) != nil else {
      return establish(now: now, confirmedBy: .pings, &actions)
    }
    state = .enabling
    send(XMLElement("enable", namespace: Namespace.streamManagement), &actions)
  }

  mutating func establish(
    now: StreamTime, confirmedBy method: DeliveryConfirmation.Method, _ actions: inout [Action]
  ) {
    state = .established
    confirmation = DeliveryConfirmation(method: method)
    lastStanza = now
    lastSent = now
    actions.append(.established(self.method, method))
  }

  /// A stanza was written; `token` names it if its confirmation matters.
  package mutating func sent(_ token: UInt64?, now: StreamTime) {
    confirmation.sent(token)
    lastStanza = now
    lastSent = now
  }

  /// Everything that is to be written for now is written: asks about it.
  package mutating func flush(now: StreamTime, _ actions: inout [Action]) {
    guard state == .established, confirmation.ask(now: now, repeatAfter: environment.limits.askAgain) else { return }
    lastSent = now
    switch confirmation.method {
    case .acknowledgements: send(XMLElement("r", namespace: Namespace.streamManagement), &actions)
    case .pings:
      guard let from = JID(domain: pair.local), let to = JID(domain: pair.remote) else { return }
      pings += 1
      let id = "\(environment.pingPrefix)\(pings)"
      pingID = id
      send(StanzaBuilder.ping(from: from, to: to, id: id), &actions)
    }
  }

  /// A result or an error from the partner's domain came, on whichever stream the partner sends on. True if it answers
  /// our ping.
  package mutating func answered(id: String, now: StreamTime, _ actions: inout [Action]) -> Bool {
    switch state {
    case .established, .closing: break
    default: return false
    }
    guard let pingID, pingID == id else { return false }
    self.pingID = nil
    report(confirmation.answered(now: now), now: now, &actions)
    return true
  }

  mutating func manage(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    switch (state, element.local) {
    case (.enabling, "enabled"): establish(now: now, confirmedBy: .acknowledgements, &actions)
    case (.enabling, "failed"): establish(now: now, confirmedBy: .pings, &actions)
    case (.established, "a"), (.closing, "a"): acknowledged(element, now: now, &actions)
    case (.established, "r"):
      // The peer sends us no stanzas here.
      send(XMLElement("a", namespace: Namespace.streamManagement, attributes: [("h", "0")]), &actions)
    default: return
    }
  }

  private mutating func acknowledged(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    guard confirmation.method == .acknowledgements else { return }
    let h = element["h"].flatMap { UInt32($0) }
    guard let h, let done = confirmation.acknowledged(h, now: now) else {
      // XEP-0198 §7
      let error = StreamError(
        .undefinedCondition, cause: "\(pair.remote) acknowledged \(h.map(String.init) ?? "nothing readable")",
        detail: h.map { StreamError.Detail.handledCountTooHigh(h: $0, sent: confirmation.sentCount) })
      if state == .established {
        actions.append(.send(StreamOutput.bytes(StreamOutput.element(error))))
      }
      return fail(
        StreamFailure(.stream, .remoteServerTimeout, cause: error.cause, isPermanent: false), error: nil, &actions)
    }
    report(done, now: now, &actions)
  }

  private mutating func report(_ done: [UInt64], now: StreamTime, _ actions: inout [Action]) {
    if !done.isEmpty { actions.append(.confirmed(done)) }
    flush(now: now, &actions)
  }
}
