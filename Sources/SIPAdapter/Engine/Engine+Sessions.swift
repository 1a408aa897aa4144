import BrokerCore
import SIPCore

// Sessions that we open, and what goes through them.
extension Engine {
  mutating func openSession(_ pair: Pair, for entry: Entry, on flow: FlowID) {
    guard sessions.count < configuration.limits.sessions else {
      return giveBack(pair, Self.overload(configuration.limits.sessions, "sessions"))
    }
    lastSession += 1
    var session = IMSession(serial: lastSession, state: .glare, now: now)
    session.waiting = entry
    sessions[pair] = session
    observe(.sessions(sessions.count))
    invite(pair, on: flow)
  }

  private mutating func invite(_ pair: Pair, on flow: FlowID) {
    guard let serial = sessions[pair]?.serial else { return }
    let callee = AddressMapping.uri(pair.recipient)
    var request = SIPRequest(.invite, uriText: callee.description)
    request.headers.append(.maxForwards, "70")
    let caller = AddressMapping.uri(pair.sender)
    request.headers.append(.from, "<\(caller)>;tag=\(tokens.next());epid=\(tokens.next())")
    request.headers.append(.to, "<\(callee)>")
    request.headers.append(.callID, tokens.next())
    request.headers.append(.cSeq, CSeq(1, .invite).description)
    request.headers.append(.contact, contact)
    request.headers.append(.allow, Self.allow)
    // Without one, or with one that was used before, the callee takes it for the same conversation.
    request.headers.append(.msConversationID, tokens.next() + tokens.next())
    request.headers.append(.contentType, MediaType.sdp.description)
    request.body = SessionDescription.offer(host: localHost)
    let number = send(request, on: flow, purpose: .invite(pair, serial: serial))
    sessions[pair]?.state = .inviting(number)
    setTimer(.inviteDeadline(pair, serial: serial), after: configuration.times.inviteDeadline, of: pair)
  }

  var contact: String { "<sip:\(sentBy);transport=\(configuration.transport.rawValue)>" }

  mutating func inviteConcluded(_ client: Client, _ pair: Pair, _ serial: UInt64, _ response: SIPResponse?) {
    if let response, response.isProvisional {
      // Given up before the callee had said anything: only now may it be cancelled (RFC 3261 §9.1).
      if sessions[pair]?.serial != serial, let number = clientKeys[client.key] { cancel(number) }
      return
    }
    if let response, response.isSuccess { return inviteAccepted(client, pair, serial, response) }
    guard let session = sessions[pair], session.serial == serial, case .inviting = session.state else { return }
    defer { pump() }
    guard let response else {
      endSession(pair, sayBye: false)
      return giveBack(
        pair,
        DeliveryError(
          .remoteServerTimeout, text: "The recipient's server did not answer in time.", detail: "INVITE: no response"))
    }
    switch response.status {
    case 491 where session.attempts < configuration.limits.glareAttempts:
      sessions[pair]?.state = .glare
      sessions[pair]?.attempts += 1
      // RFC 3261 §14.1: whoever chose the Call-ID waits longer.
      let pause = Duration.milliseconds(2100 + tokens.random(below: 1900))
      setTimer(.glare(pair, serial: serial), after: pause, of: pair)
    // No sessions with this one; messages by themselves may pass.
    case 405, 415, 488, 501:
      timers.stop(session.timer)
      sessions[pair]?.state = .paged
      sessions[pair]?.waiting = nil
      sessions[pair]?.lastActivity = now
      startIdleCheck(pair, serial)
      if let entry = session.waiting, let flow = link.flow { page(entry, on: flow) }
    case 503:
      endSession(pair, sayBye: false)
      giveBack(pair, StatusMapping.error(response, to: "INVITE"))
    default:
      // Each message gets its own error: the next one of the pair opens its own session.
      let entry = session.waiting
      sessions[pair]?.waiting = nil
      endSession(pair, sayBye: false)
      if let entry { refuse(entry, StatusMapping.error(response, to: "INVITE")) }
    }
  }

  private mutating func inviteAccepted(_ client: Client, _ pair: Pair, _ serial: UInt64, _ response: SIPResponse) {
    guard let invite = client.invite, var dialog = Dialog(invite: invite, response: response),
      let number = (try? invite.essentials())?.cSeq.number
    else {
      // A 2xx without Contact or tag: there is nowhere to send an ACK to.
      guard let session = sessions[pair], session.serial == serial, session.dialog == nil else { return }
      let entry = session.waiting
      sessions[pair]?.waiting = nil
      endSession(pair, sayBye: false)
      if let entry {
        refuse(
          entry,
          DeliveryError(
            .internalServerError, text: "The recipient's server gave an answer that cannot be used.",
            detail: "INVITE: 2xx without Contact or To tag"))
      }
      return
    }
    let flow = flows[client.flow] != nil ? client.flow : link.flow
    guard let flow else { return }
    sendAcknowledgement(dialog.acknowledgement(inviteNumber: number), on: flow)
    guard let session = sessions[pair], session.serial == serial, session.dialog == nil else {
      // Repeated: the ACK was all it wanted. Otherwise it is from another branch of a fork, or came after we gave up.
      if sessions[pair]?.dialog?.id != dialog.id { send(dialog.request(.bye), on: flow, purpose: .courtesy) }
      return
    }
    sessions[pair]?.dialog = dialog
    dialogs[dialog.id] = pair
    established(pair)
  }

  /// The session can carry messages from now on.
  mutating func established(_ pair: Pair) {
    guard let session = sessions[pair] else { return }
    timers.stop(session.timer)
    sessions[pair]?.state = .established
    sessions[pair]?.lastActivity = now
    startIdleCheck(pair, session.serial)
    sessions[pair]?.waiting = nil
    if let entry = session.waiting { sendInSession(entry, pair) }
  }

  mutating func inviteRangTooLong(_ pair: Pair, _ serial: UInt64) {
    guard let session = sessions[pair], session.serial == serial, case .inviting(let number) = session.state else {
      return
    }
    // Its 487 ends the transaction; a 200 that crosses it is acknowledged and hung up.
    cancel(number)
    let entry = session.waiting
    sessions[pair]?.waiting = nil
    endSession(pair, sayBye: false)
    if let entry {
      refuse(
        entry,
        DeliveryError(
          .recipientUnavailable, text: "The recipient did not answer.",
          detail: "INVITE: no final response within \(configuration.times.inviteDeadline.milliseconds) ms"))
    }
    pump()
  }

  mutating func inviteAgain(_ pair: Pair, _ serial: UInt64) {
    guard let session = sessions[pair], session.serial == serial, case .glare = session.state else { return }
    guard let flow = link.flow else { return endSession(pair, sayBye: false) }
    invite(pair, on: flow)
  }

  // MARK: Inside

  mutating func sendInSession(_ entry: Entry, _ pair: Pair) {
    guard let flow = sessionFlow(pair), let serial = sessions[pair]?.serial,
      var request = sessions[pair]?.dialog?.request(.message)
    else {
      return queue.again(entry)
    }
    sessions[pair]?.lastActivity = now
    // The message itself says that its sender has stopped writing.
    sessions[pair]?.toldTyping = nil
    sessions[pair]?.nextTyping = nil
    OutgoingMessage(entry).fill(&request)
    send(request, on: flow, purpose: .inSession(entry, serial: serial))
  }

  func sessionFlow(_ pair: Pair) -> FlowID? { sessions[pair]?.flow ?? link.flow }

  /// Typing notices live in sessions only: outside of them each would cost a whole request to the platform.
  mutating func relay(_ signal: Signal) {
    let pair = Pair(sender: signal.from, recipient: signal.to)
    guard let session = sessions[pair], case .established = session.state else { return }
    let typing: Typing
    switch signal.kind {
    case .composing: typing = .composing
    case .paused, .active, .inactive: typing = .idle
    // RFC 7573 §5.
    case .gone:
      if session.waiting == nil, !queue.isBusy(pair) { endSession(pair, sayBye: true) }
      return
    }
    // To say "idle" to somebody who was told nothing else says nothing.
    guard typing != (session.nextTyping ?? session.toldTyping ?? .idle) else { return }
    if session.isTyping {
      sessions[pair]?.nextTyping = typing
    } else {
      tellTyping(typing, pair)
    }
  }

  private mutating func tellTyping(_ typing: Typing, _ pair: Pair) {
    guard let flow = sessionFlow(pair), let serial = sessions[pair]?.serial,
      var request = sessions[pair]?.dialog?.request(.info)
    else { return }
    sessions[pair]?.isTyping = true
    sessions[pair]?.toldTyping = typing
    sessions[pair]?.nextTyping = nil
    sessions[pair]?.lastActivity = now
    request.headers.append(.contentType, MediaType.xml.description)
    request.body = typing.keyboardActivity
    send(request, on: flow, purpose: .typing(pair, serial: serial))
  }

  mutating func typingConcluded(_ pair: Pair, _ serial: UInt64, _ response: SIPResponse?) {
    if let response, response.isProvisional { return }
    guard let session = sessions[pair], session.serial == serial else { return }
    sessions[pair]?.isTyping = false
    switch response?.status {
    case 408, 480, 481: if !queue.isBusy(pair) { endSession(pair, sayBye: response?.status != 481) }
    default: if let next = session.nextTyping { tellTyping(next, pair) }
    }
  }

  // MARK: The end

  /// An entry that waited for the session looks for another way.
  mutating func endSession(_ pair: Pair, sayBye: Bool) {
    guard var session = sessions.removeValue(forKey: pair) else { return }
    observe(.sessions(sessions.count))
    timers.stop(session.timer)
    timers.stop(session.idleCheck)
    if let id = session.dialog?.id { dialogs[id] = nil }
    if sayBye, let flow = session.flow ?? link.flow, let bye = session.dialog?.request(.bye) {
      send(bye, on: flow, purpose: .courtesy)
    }
    if let entry = session.waiting { queue.again(entry) }
  }

  /// The one that the session's state needs, in place of the one before.
  mutating func setTimer(_ timer: EngineTimer, after duration: Duration, of pair: Pair) {
    timers.stop(sessions[pair]?.timer)
    let id = start(timer, after: duration)
    sessions[pair]?.timer = id
  }

  mutating func startIdleCheck(_ pair: Pair, _ serial: UInt64) {
    timers.stop(sessions[pair]?.idleCheck)
    let check = start(.idle(pair, serial: serial), after: configuration.times.sessionIdle / 4)
    sessions[pair]?.idleCheck = check
  }

  mutating func checkIdleSession(_ pair: Pair, _ serial: UInt64) {
    guard let session = sessions[pair], session.serial == serial else { return }
    let isIdle = now - session.lastActivity >= configuration.times.sessionIdle.milliseconds
    if isIdle, !queue.isBusy(pair) { return endSession(pair, sayBye: true) }
    startIdleCheck(pair, serial)
  }
}
