import XMLStreaming

// XEP-0220 from both ends: we are the receiving server of `<db:result/>` and the authoritative one of `<db:verify/>`.
extension InboundStream {
  mutating func dialback(_ element: XMLElement, _ actions: inout [Action]) throws(StreamError) {
    // A `type` marks an answer. We ask nothing on a stream that the peer opened: such an answer was never asked for
    // (CVE-2012-3525) and changes nothing.
    guard element["type"] == nil else { return }
    guard let from = element["from"], let to = element["to"],
      let remote = DomainName.normalised(from), let local = DomainName.normalised(to)
    else { throw StreamError(.improperAddressing, cause: "dialback without from or to") }
    let pair = DomainPair(local: local, remote: remote)
    switch element.local {
    case "result": try receive(key: element.text, for: pair, &actions)
    case "verify": try confirm(element, for: pair, &actions)
    default: throw StreamError(.unsupportedStanzaType, cause: "unknown dialback element")
    }
  }

  // MARK: Receiving server

  private mutating func receive(
    key: String, for pair: DomainPair, _ actions: inout [Action]
  ) throws(StreamError) {
    // XEP-0220 §2.4: proved already, nothing is verified twice on one connection.
    if pairs.contains(pair) { return answer(pair, type: "valid", &actions) }
    guard !verifying.contains(pair) else { return }
    if let condition = objection(to: pair) { return answer(pair, error: StanzaError(condition), &actions) }
    guard verifying.count < environment.limits.pendingVerifications,
      verifying.count + pairs.count < environment.limits.domainPairs
    else { return answer(pair, error: StanzaError(.resourceConstraint), &actions) }
    let key = Self.trimmed(key)
    guard !key.isEmpty, key.utf8.count <= environment.limits.dialbackKeyBytes else {
      throw StreamError(.policyViolation, cause: "dialback key of \(key.utf8.count) bytes")
    }
    verifying.insert(pair)
    actions.append(.verify(DialbackRequest(pair: pair, streamID: streamID, key: key)))
  }

  /// The conditions are those of the table in XEP-0220 §2.4.
  private func objection(to pair: DomainPair) -> StanzaError.Condition? {
    guard environment.servedDomains.contains(pair.local) else { return .itemNotFound }
    guard !environment.servedDomains.contains(pair.remote) else { return .notAuthorized }
    guard let policy = environment.policy(pair.remote) else { return .policyViolation }
    if policy.requireTLS, identity == nil { return .policyViolation }
    return policy.allowDialback ? nil : .notAuthorized
  }

  /// The question put by `verify` is answered.
  package mutating func verified(
    _ request: DialbackRequest, _ outcome: DialbackOutcome, _ actions: inout [Action]
  ) {
    let pair = request.pair
    guard request.streamID == streamID, verifying.remove(pair) != nil, state == .negotiating else { return }
    switch outcome {
    case .valid:
      let first = pairs.isEmpty
      pairs.insert(pair)
      answer(pair, type: "valid", &actions)
      if first {
        let bytes = environment.policy(pair.remote)?.stanzaBytes ?? policy.stanzaBytes
        actions.append(.limits(.authenticated(bytes: bytes)))
      }
      actions.append(.authenticated(pair, .dialback))
    case .invalid: answer(pair, type: "invalid", &actions)
    case .failed(let error): answer(pair, error: error, &actions)
    }
  }

  private mutating func answer(_ pair: DomainPair, type: String, _ actions: inout [Action]) {
    send(Self.answer("result", pair, type: type, id: nil), &actions)
  }

  private mutating func answer(_ pair: DomainPair, error: StanzaError, _ actions: inout [Action]) {
    send(Self.answer("result", pair, type: "error", id: nil).adding(error.element), &actions)
  }

  // MARK: Authoritative server

  private mutating func confirm(
    _ element: XMLElement, for pair: DomainPair, _ actions: inout [Action]
  ) throws(StreamError) {
    guard let id = element["id"] else {
      throw StreamError(.improperAddressing, cause: "dialback verification without id")
    }
    confirmedKeys += 1
    guard isAuthenticated || confirmedKeys <= environment.limits.confirmedKeys else {
      throw StreamError(.policyViolation, cause: "too many dialback verifications")
    }
    guard environment.servedDomains.contains(pair.local) else {
      let error = StanzaError(.itemNotFound)
      return send(Self.answer("verify", pair, type: "error", id: id).adding(error.element), &actions)
    }
    let valid = environment.keys.isValid(
      Self.trimmed(element.text), receiving: pair.remote, originating: pair.local, streamID: id)
    send(Self.answer("verify", pair, type: valid ? "valid" : "invalid", id: id), &actions)
  }

  private static func answer(_ name: String, _ pair: DomainPair, type: String, id: String?) -> XMLElement {
    XMLElement(
      name, namespace: Namespace.dialback,
      attributes: pair.addressing + [("type", type)]
    ).adding(attribute: "id", id)
  }

  /// Keys are often written on a line of their own.
  static func trimmed(_ key: String) -> String {
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x9...0xD).contains(byte) }
    let rest = key.utf8.drop(while: isSpace)
    let length = rest.reversed().drop(while: isSpace).count
    return String(rest.prefix(length)) ?? ""
  }
}
