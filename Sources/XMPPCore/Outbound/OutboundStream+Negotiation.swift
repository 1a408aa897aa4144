import XMLStreaming

extension OutboundStream {
  /// Chooses the next step from what the peer offers.
  mutating func negotiate(_ features: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    if let misnamed {
      let failure = negotiationFailure("answered as '\(PeerText.bounded(misnamed))'")
      return fail(failure, error: .invalidFrom, &actions)
    }
    peerStanzaBytes = Self.stanzaLimit(features)
    if saslDone { return begin(features, now: now, &actions) }
    if identity == nil {
      if features.child("starttls", Namespace.tls) != nil {
        state = .proceed
        return send(XMLElement("starttls", namespace: Namespace.tls), &actions)
      }
      if environment.policy.requireTLS {
        let failure = negotiationFailure("does not offer TLS, which the configuration requires")
        return fail(failure, error: .policyViolation, &actions)
      }
    }
    switch environment.purpose {
    case .verification(let request): verify(request, now: now, &actions)
    case .stanzas: authenticate(features, now: now, &actions)
    }
  }

  /// XEP-0478 §2.
  private static func stanzaLimit(_ features: XMLElement) -> Int? {
    features.child("limits", "urn:xmpp:stream-limits:0")?
      .child("max-bytes", "urn:xmpp:stream-limits:0").flatMap { Int($0.text) }
  }

  mutating func answeredStartTLS(_ element: XMLElement, _ actions: inout [Action]) {
    guard element.local == "proceed" else {
      return fail(negotiationFailure("refused STARTTLS", permanent: false), error: nil, &actions)
    }
    state = .handshake
    actions.append(.startTLS)
  }

  func send(_ element: XMLElement, _ actions: inout [Action]) {
    actions.append(.send(StreamOutput.bytes(element)))
  }
}

// MARK: Authentication

extension OutboundStream {
  private mutating func authenticate(_ features: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    let mechanisms = features.child("mechanisms", Namespace.sasl)?.children("mechanism", Namespace.sasl) ?? []
    if identity != nil, environment.tryExternal, mechanisms.contains(where: { $0.text == "EXTERNAL" }) {
      state = .success
      // XEP-0178 §3: with our domain in it, for servers that want to be told.
      let auth = XMLElement(
        "auth", namespace: Namespace.sasl, attributes: [("mechanism", "EXTERNAL")],
        text: Base64.encode(DomainName.onTheWire(pair.local)))
      return send(auth, &actions)
    }
    guard environment.policy.allowDialback else {
      let offered = mechanisms.map { PeerText.bounded($0.text) }.joined(separator: " ")
      let failure = StreamFailure(
        .authentication, .remoteServerTimeout,
        cause: "\(pair.remote) does not take our certificate (offered: \(offered.isEmpty ? "nothing" : offered)"
          + "\(features.child("dialback", Namespace.dialbackFeature) == nil ? "" : ", dialback"))",
        isPermanent: true)
      return fail(failure, error: nil, &actions)
    }
    sendKey(now: now, &actions)
  }

  mutating func answeredAuth(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    switch element.local {
    case "success":
      saslDone = true
      method = .external
      state = .header
      actions.append(.restart(.authenticated(bytes: environment.policy.stanzaBytes)))
      open(&actions)
    case "challenge":
      // Our first response said everything; an empty one is all there is to add (RFC 4422 appendix A).
      send(XMLElement("response", namespace: Namespace.sasl, text: "="), &actions)
    default:
      externalRefused = true
      if environment.policy.allowDialback { return sendKey(now: now, &actions) }
      let reason = element.elements.first { $0.local != "text" }?.local ?? "no reason given"
      let text = element.child("text", Namespace.sasl).map { " (\(PeerText.bounded($0.text)))" } ?? ""
      let failure = StreamFailure(
        .authentication, .remoteServerTimeout,
        cause: "\(pair.remote) refused our certificate: \(PeerText.bounded(reason))\(text)", isPermanent: true)
      fail(failure, error: nil, &actions)
    }
  }
}

// MARK: Dialback, XEP-0220

extension OutboundStream {
  private mutating func sendKey(now: StreamTime, _ actions: inout [Action]) {
    guard let streamID, !streamID.isEmpty else {
      return fail(negotiationFailure("gave its stream no id"), error: .invalidFrom, &actions)
    }
    state = .dialback
    method = .dialback
    deadline = max(deadline, now + environment.limits.dialback)
    let key = environment.keys.key(receiving: pair.remote, originating: pair.local, streamID: streamID)
    send(
      XMLElement(
        "result", namespace: Namespace.dialback, attributes: pair.addressing, text: key), &actions)
  }

  private mutating func verify(_ request: DialbackRequest, now: StreamTime, _ actions: inout [Action]) {
    state = .verification
    send(
      XMLElement(
        "verify", namespace: Namespace.dialback,
        attributes: pair.addressing + [("id", request.streamID)], text: request.key),
      &actions)
  }

  /// An answer counts if it is to the question that is open, and no other (CVE-2012-3525).
  mutating func answeredDialback(_ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    guard let type = element["type"],
      element["from"].flatMap(DomainName.normalised) == pair.remote,
      element["to"].flatMap(DomainName.normalised) == pair.local
    else { return }
    switch (state, element.local, environment.purpose) {
    case (.dialback, "result", _): proved(type, element, now: now, &actions)
    case (.verification, "verify", .verification(let request)):
      guard element["id"] == request.streamID else { return }
      actions.append(.verified(Self.outcome(type, element)))
      finish(nil, &actions)
    default: return
    }
  }

  private mutating func proved(_ type: String, _ element: XMLElement, now: StreamTime, _ actions: inout [Action]) {
    if type == "valid" { return establish(now: now, confirmedBy: .pings, &actions) }
    let reason =
      switch Self.outcome(type, element) {
      case .failed(let error): error.text.map { "\(error.condition.rawValue) (\($0))" } ?? error.condition.rawValue
      case .valid, .invalid: "key found invalid"
      }
    // The peer may merely have failed to reach us.
    let isPassing = reason.hasPrefix("remote-") || reason.hasPrefix("resource-") || reason.hasPrefix("internal-")
    let failure = StreamFailure(
      .authentication, .remoteServerTimeout, cause: "\(pair.remote) refused dialback: \(reason)",
      isPermanent: !isPassing)
    fail(failure, error: nil, &actions)
  }

  private static func outcome(_ type: String, _ element: XMLElement) -> DialbackOutcome {
    switch type {
    case "valid": .valid
    case "invalid": .invalid
    default:
      .failed(
        element.child("error", Namespace.server).flatMap(StanzaError.init) ?? StanzaError(.undefinedCondition))
    }
  }
}
