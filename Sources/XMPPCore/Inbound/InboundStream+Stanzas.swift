import XMLStreaming

extension InboundStream {
  mutating func take(_ element: XMLElement, _ actions: inout [Action]) throws(StreamError) {
    guard isAuthenticated else {
      // RFC 6120 §4.9.3.12: nothing is looked at before the sender is proved.
      throw StreamError(.notAuthorized, cause: "stanza before authentication")
    }
    let stanza: Stanza
    do { stanza = try Stanza(element) } catch {
      guard let pair = Stanza.domains(of: element) else { throw error }
      guard pairs.contains(pair) else { throw unproved(pair) }
      return actions.append(.refuse(pair, answer: Stanza.malformed(element), number: stanzas.receive()))
    }
    let pair = DomainPair(local: stanza.to.domain, remote: stanza.from.domain)
    guard pairs.contains(pair) else { throw unproved(pair) }
    actions.append(.stanza(stanza, number: stanzas.receive()))
  }

  private func unproved(_ pair: DomainPair) -> StreamError {
    guard pairs.contains(where: { $0.remote == pair.remote }) else {
      // RFC 6120 §4.9.3.9, §8.1.2.2
      return StreamError(.invalidFrom, cause: "stanza from \(pair.remote), which this stream did not prove")
    }
    // §4.9.3.6, §4.9.3.7
    return environment.servedDomains.contains(pair.local)
      ? StreamError(.improperAddressing, cause: "stanza to \(pair.local), another domain than the stream's")
      : StreamError(.hostUnknown, cause: "stanza to \(pair.local), which is not served here")
  }

  /// The stanza of this number is delivered, durable, answered or of no consequence.
  package mutating func handled(_ number: UInt64, _ actions: inout [Action]) {
    stanzas.handle(number)
    if let requested {
      if stanzas.handled >= requested.upTo { acknowledge(&actions) }
    } else if owesAcknowledgement, stanzas.pending == 0 {
      acknowledge(&actions)
    }
    finishIfHandled(&actions)
  }
}

// MARK: Stream management, XEP-0198

extension InboundStream {
  mutating func manage(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) throws(StreamError) {
    switch element.local {
    case "enable": try enable(&actions)
    case "resume": refuseManagement(.featureNotImplemented, &actions)
    case "r":
      guard acknowledgementBase != nil else { return refuseManagement(.unexpectedRequest, &actions) }
      if requested == nil { requested = (now, stanzas.received) }
      if stanzas.pending == 0 { acknowledge(&actions) }
    case "a":
      // We send no stanzas this way, so that 0 is the only true count.
      guard element["h"] == "0" else {
        let h = element["h"].flatMap { UInt32($0) } ?? 0
        throw StreamError(
          .undefinedCondition, text: "More stanzas acknowledged than sent.", cause: "acknowledgement without stanzas",
          detail: .handledCountTooHigh(h: h, sent: 0))
      }
    default: throw StreamError(.unsupportedStanzaType, cause: "unknown stream management element")
    }
  }

  private mutating func enable(_ actions: inout [Action]) throws(StreamError) {
    // §3: only after authentication, and only once.
    guard isAuthenticated else { return refuseManagement(.unexpectedRequest, &actions) }
    guard acknowledgementBase == nil else {
      throw StreamError(.policyViolation, cause: "stream management enabled twice")
    }
    acknowledgementBase = stanzas.received
    send(XMLElement("enabled", namespace: Namespace.streamManagement), &actions)
  }

  private mutating func refuseManagement(_ condition: StanzaError.Condition, _ actions: inout [Action]) {
    send(
      XMLElement("failed", namespace: Namespace.streamManagement)
        .adding(XMLElement(condition.rawValue, namespace: Namespace.stanzaErrors)), &actions)
  }

  /// §4: `h` counts what is handled, not what is received, and starts over at 2^32.
  mutating func acknowledge(_ actions: inout [Action]) {
    guard let base = acknowledgementBase else { return }
    requested = nil
    owesAcknowledgement = stanzas.pending > 0
    let count = stanzas.handled > base ? stanzas.handled - base : 0
    send(
      XMLElement(
        "a", namespace: Namespace.streamManagement,
        attributes: [("h", String(UInt32(truncatingIfNeeded: count)))]), &actions)
  }
}
