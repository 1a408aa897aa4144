import BrokerCore
import Logging
import SIPCore

// Sessions that the platform opens, and its requests inside of any.
extension Engine {
  /// Accepts on the contact's behalf (RFC 7573 §4): whether the contact gets the messages is told for each of them.
  ///
  /// `ms-text-format` may carry a copy of the first message. It is left alone, and since our 200 does not claim that
  /// extension the peer sends that message in a MESSAGE as well.
  mutating func acceptInvite(_ request: SIPRequest, _ essentials: Essentials, _ key: ServerTransactionKey) {
    let parties: Parties
    do throws(SIPDefect) {
      parties = try self.parties(request, essentials)
    } catch {
      return answer(key, request, error)
    }
    let pair = Pair(sender: parties.to, recipient: parties.from)
    let tag = tokens.next()
    guard let body = sessionAnswer(request, for: pair) else { return answer(key, mediaRefusal(request)) }
    guard sessions[pair] != nil || sessions.count < configuration.limits.sessions else {
      return answer(key, request, SIPDefect(480, "Too many conversations are open"))
    }
    guard let dialog = Dialog(accepting: request, localTag: tag) else {
      return answer(key, request, SIPDefect("Missing Contact or From tag"))
    }
    let waiting = replaceSession(pair)
    lastSession += 1
    let ok = accepted(request, tag: tag, body: body)
    let interval = configuration.times.transaction.t1.milliseconds
    var session = IMSession(
      serial: lastSession, state: .answering(ok, interval: interval, since: now), now: now)
    session.dialog = dialog
    session.flow = servers[key]?.flow
    session.waiting = waiting
    sessions[pair] = session
    dialogs[dialog.id] = pair
    observe(.sessions(sessions.count))
    answer(key, ok)
    setTimer(.acknowledgement(pair, serial: session.serial), after: .milliseconds(interval), of: pair)
  }

  /// The peer begins anew: whatever there was between the two is over. Gives back the entry that waited for it.
  private mutating func replaceSession(_ pair: Pair) -> Entry? {
    guard let old = sessions[pair] else { return nil }
    sessions[pair]?.waiting = nil
    if case .inviting(let number) = old.state { cancel(number) }
    endSession(pair, sayBye: true)
    return old.waiting
  }

  /// The SDP of our 200; nil where nothing of the offer can be served.
  private func sessionAnswer(_ request: SIPRequest, for pair: Pair) -> [UInt8]? {
    let type = request.headers.first(.contentType).flatMap(MediaType.init(parsing:))
    guard type?.essence == MediaType.sdp.essence, let offer = SessionDescription(request.body) else { return nil }
    return offer.answer(host: localHost, localURI: AddressMapping.uri(pair.sender).description)
  }

  private func accepted(_ request: SIPRequest, tag: String?, body: [UInt8]) -> SIPResponse {
    var ok = request.response(200, toTag: tag)
    ok.headers.copy(.recordRoute, from: request.headers)
    ok.headers.append(.contact, contact)
    ok.headers.append(.allow, Self.allow)
    ok.headers.append(.contentType, MediaType.sdp.description)
    ok.body = body
    return ok
  }

  private func mediaRefusal(_ request: SIPRequest) -> SIPResponse {
    var response = response(request, SIPDefect(488, Status.phrase(488)))
    let warning = Warning(304, agent: localHost, text: "Only instant messages can be exchanged here")
    response.headers.append(.warning, warning.description)
    return response
  }

  mutating func sessionAcknowledged(_ pair: Pair) {
    guard case .answering = sessions[pair]?.state else { return }
    established(pair)
  }

  /// RFC 3261 §13.3.1.4: the 2xx is repeated until the ACK comes, at T1, 2·T1 … T2, for 64·T1. Even over TCP: a proxy
  /// on the way may have lost it.
  mutating func acknowledgementIsMissing(_ pair: Pair, _ serial: UInt64) {
    guard let session = sessions[pair], session.serial == serial,
      case .answering(let ok, let interval, let since) = session.state
    else { return }
    let times = configuration.times.transaction
    guard now - since < times.timeout.milliseconds else {
      log(.debug, "no ACK for an accepted INVITE")
      endSession(pair, sayBye: true)
      return pump()
    }
    if let flow = sessionFlow(pair) { act(.write(flow, ok.bytes)) }
    let next = min(interval * 2, times.t2.milliseconds)
    sessions[pair]?.state = .answering(ok, interval: next, since: since)
    setTimer(.acknowledgement(pair, serial: serial), after: .milliseconds(next), of: pair)
  }

  // MARK: Inside

  mutating func serveInSession(
    _ request: SIPRequest, _ essentials: Essentials, _ key: ServerTransactionKey, _ pair: Pair
  ) {
    guard sessions[pair]?.dialog?.received(request, number: essentials.cSeq.number) == .inOrder else {
      // RFC 3261 §12.2.2.
      return answer(key, request, SIPDefect(500, "CSeq out of order"))
    }
    sessions[pair]?.lastActivity = now
    switch request.method {
    case .message: submit(request, essentials, key, session: pair)
    case .info: info(request, essentials, key, pair)
    case .options: serveOptionsInSession(request, key)
    case .bye:
      answer(key, request.response(200, toTag: nil))
      tell(.signalled(Signal(from: pair.recipient, to: pair.sender, kind: .gone, thread: essentials.callID)))
      endSession(pair, sayBye: false)
    case .invite: reinvite(request, key, pair)
    case .prack, .notify: answer(key, request, SIPDefect(481, Status.phrase(481)))
    case .subscribe, .publish: answer(key, request, SIPDefect(489, Status.phrase(489)))
    case .other: answer(key, request, SIPDefect(501, Status.phrase(501)))
    case .update, .register, .refer, .negotiate, .ack, .cancel, .benotify:
      answer(key, request, SIPDefect(405, Status.phrase(405)))
    }
  }

  private mutating func serveOptionsInSession(_ request: SIPRequest, _ key: ServerTransactionKey) {
    var response = request.response(200, toTag: nil)
    response.headers.append(.allow, Self.allow)
    answer(key, response)
  }

  private mutating func info(
    _ request: SIPRequest, _ essentials: Essentials, _ key: ServerTransactionKey, _ pair: Pair
  ) {
    let body: IncomingBody
    do throws(SIPDefect) {
      body = try IncomingBody(info: request)
    } catch {
      return answer(key, request, error)
    }
    if case .typing(let kind) = body {
      tell(.signalled(Signal(from: pair.recipient, to: pair.sender, kind: kind, thread: essentials.callID)))
    }
    answer(key, request.response(200, toTag: nil))
  }

  /// A refresh. RFC 3261 §14.2.
  private mutating func reinvite(_ request: SIPRequest, _ key: ServerTransactionKey, _ pair: Pair) {
    guard let session = sessions[pair] else { return }
    if case .answering = session.state {
      var response = response(request, SIPDefect(500, "Another INVITE is pending"))
      response.headers.append(.retryAfter, "\(tokens.random(below: 11))")
      return answer(key, response)
    }
    guard let body = sessionAnswer(request, for: pair) else { return answer(key, mediaRefusal(request)) }
    let ok = accepted(request, tag: nil, body: body)
    let interval = configuration.times.transaction.t1.milliseconds
    sessions[pair]?.state = .answering(ok, interval: interval, since: now)
    answer(key, ok)
    setTimer(.acknowledgement(pair, serial: session.serial), after: .milliseconds(interval), of: pair)
  }
}
