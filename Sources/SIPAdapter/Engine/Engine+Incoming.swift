import BrokerCore
import Logging
import SIPCore
import Transport

// What the platform's requests are about.
extension Engine {
  mutating func serve(_ request: SIPRequest, _ essentials: Essentials, _ key: ServerTransactionKey) {
    do throws(SIPDefect) {
      try check(request, essentials)
    } catch {
      var refusal = response(request, error)
      // RFC 5630 §5.1.1.
      if error == Self.sipsRefusal {
        refusal.headers.append(
          .warning, Warning(380, agent: localHost, text: "SIPS Not Allowed").description)
      }
      return answer(key, refusal)
    }
    if essentials.toTag != nil {
      guard let id = Dialog.ID(request: essentials), let pair = dialogs[id] else {
        // RFC 3261 §12.2.2: of an earlier life of ours, or of none.
        return answer(key, request, SIPDefect(481, Status.phrase(481)))
      }
      return serveInSession(request, essentials, key, pair)
    }
    switch request.method {
    case .message: submit(request, essentials, key, session: nil)
    case .invite: acceptInvite(request, essentials, key)
    case .options: answer(key, options(request))
    case .bye, .info, .notify, .update, .prack: answer(key, request, SIPDefect(481, Status.phrase(481)))
    // RFC 6665 §4.2.1.3, RFC 3903 §6.
    case .subscribe, .publish: answer(key, request, SIPDefect(489, Status.phrase(489)))
    case .register, .refer, .negotiate: answer(key, request, SIPDefect(405, Status.phrase(405)))
    case .ack, .cancel, .benotify: break
    case .other: answer(key, request, SIPDefect(501, Status.phrase(501)))
    }
  }

  private static let sipsRefusal = SIPDefect(480, "SIPS Not Allowed")

  /// What holds for every request, in the order of RFC 3261 §8.2 and §16.3.
  private func check(_ request: SIPRequest, _ essentials: Essentials) throws(SIPDefect) {
    guard let uri = request.uri else {
      let isSIP = request.uriText.asciiLowercased.hasPrefix("sip")
      throw isSIP ? SIPDefect("Malformed Request-URI") : SIPDefect(416, Status.phrase(416))
    }
    // RFC 7247 §8: XMPP cannot promise TLS on every hop, so such a request must not be translated.
    if uri.scheme == .sips || essentials.to.uri?.scheme == .sips { throw Self.sipsRefusal }
    if request.hasPassed(sentBy) { throw SIPDefect(482, Status.phrase(482)) }
    // RFC 3261 §16.3: the other network is a further hop. Everything but what crosses to it ends here.
    if essentials.maxForwards == 0, request.method == .message || request.method == .invite {
      throw SIPDefect(483, Status.phrase(483))
    }
    if !request.headers.list(.require).isEmpty { throw SIPDefect(420, Status.phrase(420)) }
  }

  private func options(_ request: SIPRequest) -> SIPResponse {
    var response = request.response(200, toTag: responseTag)
    response.headers.append(.allow, Self.allow)
    response.headers.append(.accept, IncomingBody.accepted + ", " + MediaType.sdp.description)
    response.headers.append(.acceptEncoding, "identity")
    return response
  }

  // MARK: Messages

  struct Parties {
    /// The platform's user.
    var from: Address
    /// The contact on the other network.
    var to: Address
  }

  /// Who writes to whom. The trusted peer vouches for its own domains and for no others.
  func parties(_ request: SIPRequest, _ essentials: Essentials) throws(SIPDefect) -> Parties {
    guard let fromURI = essentials.from.uri else { throw SIPDefect(403, "From is no SIP address") }
    guard let toURI = request.uri else { throw SIPDefect(416, Status.phrase(416)) }
    let from = try AddressMapping.address(fromURI, headerParameters: essentials.from.parameters)
    guard domains.contains(from.domain) else { throw SIPDefect(403, "From domain is not served here") }
    guard !from.user.isEmpty else { throw SIPDefect(403, "From names no user") }
    return Parties(from: from, to: try AddressMapping.address(toURI))
  }

  /// Hands a message to the broker. The response waits for its answer.
  /// - Parameter session: the pair whose dialog it came in.
  mutating func submit(
    _ request: SIPRequest, _ essentials: Essentials, _ key: ServerTransactionKey, session: Pair?
  ) {
    let parties: Parties
    let body: IncomingBody
    do throws(SIPDefect) {
      if let session {
        parties = Parties(from: session.recipient, to: session.sender)
      } else {
        parties = try self.parties(request, essentials)
      }
      body = try IncomingBody(message: request)
    } catch {
      return answer(key, request, error)
    }
    switch body {
    case .nothing: answer(key, request.response(200, toTag: responseTag))
    case .typing(let kind):
      tell(.signalled(Signal(from: parties.from, to: parties.to, kind: kind, thread: essentials.callID)))
      answer(key, request.response(200, toTag: responseTag))
    case .text(let text):
      let message = Message(
        id: Self.messageID(essentials), from: parties.from, to: parties.to, kind: session == nil ? .single : .chat,
        body: text, subject: request.headers.string(.subject).flatMap { $0.isEmpty ? nil : $0 },
        thread: essentials.callID, language: request.headers.string(.contentLanguage))
      submit(message, request, key)
    }
  }

  private mutating func submit(_ message: Message, _ request: SIPRequest, _ key: ServerTransactionKey) {
    guard let flow = servers[key]?.flow else { return }
    lastSubmission += 1
    let id = SubmissionID(rawValue: lastSubmission)
    submissions[id] = PendingSubmission(
      key: key, flow: flow, request: request, fullAddress: message.to.endpoint != nil,
      timer: start(.submission(id), after: configuration.times.answerDeadline))
    tell(.submitted(Submission(id: id, message: message, answer: .whenKnown, source: 0)))
    flows[flow]?.unanswered += 1
    if let state = flows[flow], !state.isPaused, state.unanswered >= configuration.limits.unansweredMessages {
      flows[flow]?.isPaused = true
      flows[flow]?.probed = nil
      act(.pauseReading(flow))
    }
  }

  /// The same for every repetition of the request, on whatever connection, before and after a restart.
  private static func messageID(_ essentials: Essentials) -> String {
    let identity = "\(essentials.callID)\n\(essentials.cSeq.number)\n\(essentials.fromTag)"
    return Tokens.hex(Crypto.sha256(Array(identity.utf8))[..<16])
  }

  mutating func answer(_ id: SubmissionID, _ answer: Answer) {
    guard let submission = takeSubmission(id) else { return }
    let request = submission.request
    switch answer {
    case .delivered: self.answer(submission.key, request.response(200, toTag: responseTag))
    // RFC 3428 §7: accepted, not delivered.
    case .stored: self.answer(submission.key, request.response(202, toTag: responseTag))
    case .refused(var error):
      // Text of the other network: what is no URI stays there.
      if let alternative = error.alternative, NameAddr("<\(alternative)>") == nil { error.alternative = nil }
      let status = StatusMapping.status(error, fullAddress: submission.fullAddress)
      var response = response(request, SIPDefect(status, String(error.text.prefix(StatusMapping.phraseLength))))
      if status / 100 == 3, let alternative = error.alternative {
        response.headers.append(.contact, NameAddr(uriText: alternative).description)
      }
      self.answer(submission.key, response)
    }
  }

  mutating func submissionTimedOut(_ id: SubmissionID) {
    guard let submission = takeSubmission(id) else { return }
    log(.error, "a message was not answered by the broker in time")
    answer(submission.key, submission.request, SIPDefect(500, "Not answered in time"))
  }

  private mutating func takeSubmission(_ id: SubmissionID) -> PendingSubmission? {
    guard let submission = submissions.removeValue(forKey: id) else { return nil }
    timers.stop(submission.timer)
    let flow = submission.flow
    flows[flow]?.unanswered -= 1
    if let state = flows[flow], state.isPaused, state.unanswered <= configuration.limits.unansweredMessages / 2 {
      flows[flow]?.isPaused = false
      // The silence was ours.
      flows[flow]?.lastReceived = now
      act(.resumeReading(flow))
    }
    return submission
  }
}
