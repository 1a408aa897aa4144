import XMLStreaming

extension InboundStream {
  mutating func handle(
    _ element: XMLElement, now: StreamTime, _ actions: inout [Action]
  ) throws(StreamError) {
    if !isAuthenticated {
      elementsBeforeProof += 1
      guard elementsBeforeProof <= environment.limits.elementsBeforeProof else {
        throw StreamError(.policyViolation, cause: "too many elements before authentication")
      }
    }
    switch element.namespace {
    case Namespace.server: try take(element, &actions)
    case Namespace.streamManagement: try manage(element, now: now, &actions)
    case Namespace.tls: try startTLS(element, &actions)
    case Namespace.sasl: try authenticate(element, &actions)
    case Namespace.dialback: try dialback(element, &actions)
    case Namespace.compression: refuseCompression(&actions)
    case Namespace.streams where element.local == "error": endedByPeer(element, &actions)
    default:
      throw StreamError(.unsupportedStanzaType, cause: "peer sent <\(PeerText.bounded(element.local))/>")
    }
  }

  private mutating func endedByPeer(_ element: XMLElement, _ actions: inout [Action]) {
    end(.failedByPeer(StreamError(peer: element)), &actions)
  }

  /// XEP-0138 §3: not offered; compressed secrets leak (RFC 7590 §3.3) and compressed stanzas defeat every limit.
  private mutating func refuseCompression(_ actions: inout [Action]) {
    send(
      XMLElement("failure", namespace: Namespace.compression)
        .adding(XMLElement("setup-failed", namespace: Namespace.compression)), &actions)
  }

  // RFC 6120 §5.4.2
  private mutating func startTLS(_ element: XMLElement, _ actions: inout [Action]) throws(StreamError) {
    guard element.local == "starttls", identity == nil, !isAuthenticated else {
      send(XMLElement("failure", namespace: Namespace.tls), &actions)
      throw StreamError(.policyViolation, cause: "unexpected <\(PeerText.bounded(element.local))/> of STARTTLS")
    }
    send(XMLElement("proceed", namespace: Namespace.tls), &actions)
    actions.append(.startTLS)
    state = .startingTLS
  }
}

// MARK: SASL EXTERNAL

extension InboundStream {
  private mutating func authenticate(_ element: XMLElement, _ actions: inout [Action]) throws(StreamError) {
    guard let header, !isAuthenticated else {
      throw StreamError(.policyViolation, cause: "SASL after authentication")
    }
    switch element.local {
    case "auth":
      if let failure = objection(to: element, from: header.remote) {
        try refuse(failure, &actions)
      } else {
        accept(header, &actions)
      }
    case "abort": try refuse("aborted", &actions)  // RFC 6120 §6.5.1
    default: try refuse("malformed-request", &actions)  // §6.5.9
    }
  }

  /// The SASL error condition (RFC 6120 §6.5) with which the request is refused.
  private func objection(to element: XMLElement, from domain: String) -> String? {
    guard element["mechanism"] == "EXTERNAL" else { return "invalid-mechanism" }
    guard identity != nil else { return policy.requireTLS ? "encryption-required" : "invalid-mechanism" }
    guard offersExternal else { return "not-authorized" }
    let response = element.text
    // §6.4.2: "=" stands for an empty response; nothing at all comes from servers that skip it.
    if response.isEmpty || response == "=" { return nil }
    guard let identityText = Base64.decode(response) else { return "incorrect-encoding" }
    // XEP-0178 §3 step 12: who it may speak for is who the stream header says it is.
    return DomainName.normalised(identityText) == domain ? nil : "invalid-authzid"
  }

  private mutating func refuse(_ condition: String, _ actions: inout [Action]) throws(StreamError) {
    send(
      XMLElement("failure", namespace: Namespace.sasl).adding(XMLElement(condition, namespace: Namespace.sasl)),
      &actions)
    failedAttempts += 1
    guard failedAttempts < environment.limits.authenticationAttempts else {
      throw StreamError(.policyViolation, cause: "SASL failed \(failedAttempts) times, last \(condition)")
    }
  }

  private mutating func accept(_ pair: DomainPair, _ actions: inout [Action]) {
    send(XMLElement("success", namespace: Namespace.sasl), &actions)
    saslDone = true
    pairs.insert(pair)
    state = .header
    actions.append(.restart(.authenticated(bytes: policy.stanzaBytes)))
    actions.append(.authenticated(pair, .external))
  }
}
