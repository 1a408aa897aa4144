import XMLStreaming

extension InboundStream {
  /// Checks the header, answers it and offers what may come next. Returns what is wrong with it.
  mutating func begin(
    _ name: XMLName, _ opening: StreamHeader, defaultNamespace: String, _ actions: inout [Action]
  ) -> StreamError? {
    // RFC 6120 §4.8.1, §4.8.3
    guard name == XMLName("stream", namespace: Namespace.streams), defaultNamespace == Namespace.server else {
      return StreamError(.invalidNamespace, cause: "stream header in a wrong namespace")
    }
    let pair: DomainPair
    switch addresses(of: opening) {
    case .failure(let error): return error
    case .success(let found): pair = found
    }
    if let header, header != pair { return changed(from: header, to: pair) }
    guard let policy = environment.policy(pair.remote) else {
      return StreamError(
        .policyViolation, text: "Federation with this domain is not allowed.",
        cause: "\(pair.remote) is not a configured partner")
    }
    header = pair
    self.policy = policy
    // §4.7.5: no version means a server of before 2004, which knows no TLS and no features.
    guard let version = opening.majorVersion, version >= 1 else {
      return StreamError(.unsupportedVersion, cause: "version '\(PeerText.bounded(opening.version ?? ""))'")
    }
    streamID = environment.nextStreamID()
    // Keys are for one stream id: an answer about an earlier one counts no longer.
    verifying = []
    let answer = StreamOutput.header(from: pair.local, to: pair.remote, id: streamID)
    if let error = missingProof(pair.remote) {
      actions.append(.send(answer))
      state = .negotiating
      return error
    }
    actions.append(.send(answer + StreamOutput.bytes(features)))
    state = .negotiating
    return nil
  }

  private mutating func addresses(of opening: StreamHeader) -> Result<DomainPair, StreamError> {
    guard let to = opening.to, let from = opening.from else {
      return .failure(StreamError(.improperAddressing, cause: "stream header without from or to"))
    }
    guard let local = DomainName.normalised(to), environment.servedDomains.contains(local) else {
      // RFC 6120 §4.9.3.6
      return .failure(StreamError(.hostUnknown, cause: "'\(PeerText.bounded(to))' is not served here"))
    }
    addressed = local
    guard let remote = DomainName.normalised(from) else {
      return .failure(StreamError(.improperAddressing, cause: "'\(PeerText.bounded(from))' is no domain"))
    }
    // Nobody but us is one of our domains, whatever certificate they show.
    guard !environment.servedDomains.contains(remote) else {
      return .failure(StreamError(.invalidFrom, cause: "peer claims to be our own domain \(remote)"))
    }
    return .success(DomainPair(local: local, remote: remote))
  }

  private func changed(from old: DomainPair, to new: DomainPair) -> StreamError {
    old.remote != new.remote
      ? StreamError(.invalidFrom, cause: "from changed from \(old.remote) to \(new.remote) on restart")
      : StreamError(.improperAddressing, cause: "to changed from \(old.local) to \(new.local) on restart")
  }

  /// With neither a certificate nor dialback to go on, the peer is told at once instead of left to wait.
  private func missingProof(_ domain: String) -> StreamError? {
    guard !saslDone, let identity, !policy.allowDialback, let objection = identity.objection(to: domain) else {
      return nil
    }
    return StreamError(
      .notAuthorized, text: "The certificate does not prove this domain.", cause: "\(domain): \(objection)")
  }

  /// RFC 6120 §4.3.2: what may be negotiated now.
  private var features: XMLElement {
    var features = XMLElement("features", namespace: Namespace.streams)
    if identity == nil {
      var startTLS = XMLElement("starttls", namespace: Namespace.tls)
      // Without dialback nothing can be proved in the clear.
      if policy.requireTLS || !policy.allowDialback {
        startTLS.add(XMLElement("required", namespace: Namespace.tls))
      }
      features.add(startTLS)
    }
    if offersExternal {
      features.add(
        XMLElement("mechanisms", namespace: Namespace.sasl)
          .adding("mechanism", namespace: Namespace.sasl, text: "EXTERNAL"))
    }
    if policy.allowDialback, identity != nil || !policy.requireTLS {
      features.add(
        XMLElement("dialback", namespace: Namespace.dialbackFeature)
          .adding(XMLElement("errors", namespace: Namespace.dialbackFeature)))
    }
    if saslDone { features.add(XMLElement("sm", namespace: Namespace.streamManagement)) }
    return features
  }

  /// XEP-0178 §3 step 11: offered only where it will succeed, so that a peer whose certificate does not do can go on
  /// with dialback.
  var offersExternal: Bool {
    guard !saslDone, let identity, let header else { return false }
    return identity.objection(to: header.remote) == nil
  }
}
