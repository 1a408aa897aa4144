import BrokerCore
import Logging
import XMLStreaming
import XMPPCore

/// The way from one domain of ours to one partner: dials when there is something to send, keeps what is unconfirmed,
/// and gives it back when the way is lost.
final class OutboundLink: OutboundConnectionOwner {
  private enum State {
    case idle
    case dialling(PartnerDial)
    case up(OutboundConnection)
  }

  let pair: DomainPair
  private unowned let federation: Federation
  private var state = State.idle
  /// Taken from the broker, not written yet.
  private var waiting: [Entry] = []
  /// Written, not confirmed.
  private var sent: [UInt64: Entry] = [:]
  /// Errors and answers to queries that wait for a stream; nobody is told if they are lost.
  private var answers: [(kind: Stanza.Kind, bytes: [UInt8])] = []
  private var answerBytes = 0
  private var messages: SentMessages
  private var returned = ReturnedEntries()
  /// After a stream died of something we sent: one entry at a time, so that the next death names the culprit. Counts
  /// down the entries that were in hand then.
  private var suspects = 0
  private(set) var lastFailure: String?

  init(_ pair: DomainPair, federation: Federation) {
    self.pair = pair
    self.federation = federation
    messages = SentMessages(capacity: federation.limits.rememberedMessages)
  }

  var isUp: Bool { if case .up = state { true } else { false } }
  var holdsEntries: Bool { !waiting.isEmpty || !sent.isEmpty }
  private var destination: Destination { Destination(adapter: federation.configuration.adapter, domain: pair.remote) }

  // MARK: From the broker

  func deliver(_ entry: Entry) {
    guard !federation.isStopping, !holds(entry.id) else { return }
    if returned.mustFollow(entry.id, now: federation.now) {
      let error = DeliveryError(
        .remoteServerTimeout, text: "The server of \(pair.remote) cannot be reached.",
        detail: "older messages have to go first")
      return federation.tell(.deferred([entry.id], error))
    }
    waiting.append(entry)
    if case .idle = state { dial() }
  }

  /// With another link to the same destination, the broker may have counted what was on its way here as lost.
  private func holds(_ id: EntryID) -> Bool {
    if sent[id.rawValue] != nil { return true }
    // Mostly ids grow.
    guard let last = waiting.last, id <= last.id else { return false }
    return waiting.contains { $0.id == id }
  }

  /// Worth nothing later: sent if it can be sent now.
  func send(_ signal: Signal) {
    guard case .up(let connection) = state, connection.machine.isEstablished, connection.isWritable,
      let stanza = OutgoingStanza.signal(signal)
    else { return count(.message, .ignored) }
    connection.send(StreamOutput.bytes(stanza.element), token: nil)
    count(.message, .accepted)
  }

  /// An error, or the answer to a query, for somebody at the partner's.
  func send(answer: XMLElement) {
    let kind = Stanza.Kind(rawValue: answer.local) ?? .message
    let bytes = StreamOutput.bytes(answer)
    // An answer repeats the id of the question, which may be as long as a tag.
    guard answers.count < federation.limits.waitingAnswers,
      answerBytes + bytes.count <= federation.limits.waitingAnswerBytes
    else {
      federation.logger.warning(
        "an answer is dropped: too many wait for a stream", metadata: ["partner": "\(pair.remote)"])
      return count(kind, .ignored)
    }
    answers.append((kind, bytes))
    answerBytes += bytes.count
    switch state {
    case .idle: dial()
    case .dialling: break
    case .up: flush()
    }
  }

  /// Writes what waits and asks for its confirmation.
  func flush() {
    guard case .up(let connection) = state, connection.machine.isEstablished else { return }
    var index = 0
    while index < waiting.count, connection.isWritable, suspects == 0 || sent.isEmpty {
      write(waiting[index], to: connection)
      index += 1
    }
    waiting.removeFirst(index)
    index = 0
    while index < answers.count, connection.isWritable {
      connection.send(answers[index].bytes, token: nil)
      count(answers[index].kind, .accepted)
      answerBytes -= answers[index].bytes.count
      index += 1
    }
    answers.removeFirst(index)
    connection.flush()
  }

  private func write(_ entry: Entry, to connection: OutboundConnection) {
    var id: String?
    let stanza: Stanza?
    switch entry.content {
    case .message(let message):
      id = OutgoingStanza.id(of: message, entry: entry.id)
      stanza = OutgoingStanza.message(message, id: id ?? "", sent: federation.delayedSince(entry))
    case .failure(let report): stanza = OutgoingStanza.failure(report)
    }
    guard let stanza else {
      return refuse(
        entry.id,
        DeliveryError(
          .jidMalformed, text: "The name cannot be used in XMPP.", detail: "no XMPP address for \(entry.recipient)"))
    }
    let bytes = StreamOutput.bytes(stanza.element)
    if let limit = connection.machine.peerStanzaBytes, bytes.count > limit {
      // XEP-0478 §3: better no than a stream that dies of it.
      return refuse(entry.id, .tooLarge(for: pair.remote, detail: "partner takes \(limit) bytes, not \(bytes.count)"))
    }
    if let id { messages.sent(id: id, from: stanza.from, to: stanza.to, entry: entry.id) }
    sent[entry.id.rawValue] = entry
    connection.send(bytes, token: entry.id.rawValue)
    count(.message, .accepted)
  }

  private func refuse(_ id: EntryID, _ error: DeliveryError) {
    count(.message, .refused)
    federation.tell(.refused(id, error))
  }

  private func count(_ kind: Stanza.Kind, _ result: StanzaResult) {
    federation.observer.stanza(kind, .outbound, result, partner: pair.remote)
  }

  // MARK: From the partner's streams to us

  /// An `iq` result or error. True if it answers our ping.
  func answered(_ stanza: Stanza) -> Bool {
    guard case .up(let connection) = state, stanza.from.isDomain, stanza.to.isDomain, let id = stanza.id else {
      return false
    }
    return connection.answered(id: id)
  }

  /// A message came back as an error. The entry it carried, if it is one of ours.
  func refused(_ id: String, by stanza: Stanza) -> EntryID? {
    guard let entry = messages.refused(id: id, from: stanza.from, to: stanza.to) else { return nil }
    sent[entry.rawValue] = nil
    return entry
  }

  // MARK: The stream

  private func dial() {
    guard !federation.isStopping, let partner = federation.partners[pair.remote] else { return }
    let dial = PartnerDial(pair, partner: partner, federation: federation) { [weak self] outcome in
      switch outcome {
      case .established(let connection, let method): self?.reached(by: connection, method)
      case .failed(let failure): self?.lost(failure)
      case .verified: break
      }
    }
    state = .dialling(dial)
    dial.start()
  }

  private func reached(by connection: OutboundConnection, _ method: AuthenticationMethod) {
    state = .up(connection)
    connection.owner = self
    lastFailure = nil
    federation.logger.info(
      "stream established",
      metadata: [
        "partner": "\(pair.remote)", "domain": "\(pair.local)", "method": "\(method.rawValue)",
        "tls": "\(connection.tlsVersion ?? "none")", "server": "\(connection.endpoint)",
      ])
    federation.tell(.reached(destination))
    flush()
  }

  func confirmed(_ tokens: [UInt64], on connection: OutboundConnection) {
    for token in tokens where sent.removeValue(forKey: token) != nil {
      federation.tell(.delivered(EntryID(rawValue: token)))
      count(.message, .confirmed)
      if suspects > 0 { suspects -= 1 }
    }
    if !waiting.isEmpty { flush() }
    if sent.isEmpty { federation.closeIfDrained() }
  }

  /// Idle for long, or the end of the gateway. Who has something to send from now on needs another stream.
  func leaving(_ connection: OutboundConnection) {
    guard case .up(let current) = state, current === connection, !holdsEntries else { return }
    connection.owner = nil
    state = .idle
    federation.logger.info("stream closed", metadata: ["partner": "\(pair.remote)", "domain": "\(pair.local)"])
  }

  func writabilityChanged(_ connection: OutboundConnection) {
    if connection.isWritable { flush() }
  }

  func ended(_ connection: OutboundConnection, _ failure: StreamFailure?) {
    guard case .up(let current) = state, current === connection else { return }
    if let failure, failure.blamesContent { blame(failure) }
    guard holdsEntries || failure != nil else {
      state = .idle
      federation.logger.info("stream closed", metadata: ["partner": "\(pair.remote)", "domain": "\(pair.local)"])
      return
    }
    lost(
      failure
        ?? StreamFailure(
          .stream, .remoteServerTimeout, cause: "\(pair.remote) closed the stream", isPermanent: false))
  }

  /// The partner ended the stream because of something in it. If only one entry was on the way, that is the one.
  private func blame(_ failure: StreamFailure) {
    if sent.count == 1, let culprit = sent.values.first {
      sent = [:]
      suspects = 0
      refuse(culprit.id, .tooLarge(for: pair.remote, detail: failure.cause))
    } else {
      suspects = sent.count
    }
  }

  /// Everything in hand goes back to the broker, which keeps it and decides when to try again.
  private func lost(_ failure: StreamFailure) {
    let entries = sent.values.sorted { $0.id < $1.id } + waiting
    state = .idle
    for answer in answers { count(answer.kind, .ignored) }
    sent = [:]
    waiting = []
    dropAnswers()
    lastFailure = failure.cause
    federation.observer.streamFailed(partner: pair.remote, stage: failure.stage)
    federation.logger.warning(
      "partner is not reached",
      metadata: [
        "partner": "\(pair.remote)", "domain": "\(pair.local)", "stage": "\(failure.stage.rawValue)",
        "cause": "\(failure.cause)", "unconfirmed": "\(entries.count)",
      ])
    guard !entries.isEmpty else { return }
    returned.add(entries, until: federation.now + federation.limits.settle)
    let error = DeliveryError(failure, partner: pair.remote)
    if federation.holdsElsewhere(than: self) {
      // The destination is reached by another domain of ours; only what was here goes back.
      federation.tell(.deferred(entries.map(\.id), error))
    } else {
      federation.tell(.lost(destination, error, failure.isPermanent ? .permanent : .transient))
    }
  }

  private func dropAnswers() {
    answers = []
    answerBytes = 0
  }

  // MARK: Ends

  /// Sends nothing more. What is not written stays the broker's without a word.
  func stop() {
    waiting = []
    dropAnswers()
    if case .dialling(let dial) = state {
      dial.cancel()
      state = .idle
    }
  }

  /// The partner's configuration changed, or it is no partner any longer.
  func reset() {
    switch state {
    case .idle: return
    case .dialling(let dial): dial.cancel()
    case .up(let connection):
      connection.owner = nil
      connection.close()
    }
    lost(
      StreamFailure(.stream, .remoteServerTimeout, cause: "the partner's configuration changed", isPermanent: false))
  }

  func verified(_ outcome: DialbackOutcome) {}
  func established(_ connection: OutboundConnection, _ method: AuthenticationMethod) {}
}
