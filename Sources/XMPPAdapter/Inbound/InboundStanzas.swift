import BrokerCore
import XMLStreaming
import XMPPCore

/// A message that the broker has not answered yet.
struct PendingSubmission {
  /// The connection it came on; it may be gone.
  var connection: UInt64
  var number: UInt64
  /// What an error would answer.
  var from: JID
  var to: JID
  var id: String?
}

// What partners' stanzas mean. Every one of them is `handled` at some time: at once, or when the broker has answered.
extension Federation {
  func received(_ stanza: Stanza, number: UInt64, on connection: InboundConnection) {
    switch stanza.kind {
    case .message: received(message: stanza, number: number, on: connection)
    case .iq:
      received(query: stanza, number: number, on: connection)
      connection.handled(number)
    case .presence:
      received(presence: stanza)
      connection.handled(number)
    }
  }

  private func count(_ stanza: Stanza, _ result: StanzaResult) {
    observer.stanza(stanza.kind, .inbound, result, partner: stanza.from.domain)
  }

  // MARK: Messages

  private func received(message stanza: Stanza, number: UInt64, on connection: InboundConnection) {
    switch MessageMeaning(stanza) {
    case .message(let message):
      let id = nextSubmission()
      submissions[id] = PendingSubmission(
        connection: connection.id, number: number, from: stanza.from, to: stanza.to, id: stanza.id)
      tell(
        .submitted(
          Submission(id: id, message: message, answer: .whenSafe, source: connection.id)))
      return count(stanza, .accepted)
    case .signal(let signal):
      tell(.signalled(signal))
      count(stanza, .accepted)
    case .refusal(let id, let error):
      count(stanza, .accepted)
      refused(id, error, by: stanza)
    case .refused(let error):
      count(stanza, .refused)
      answer(stanza, with: error)
    case .nothing: count(stanza, .ignored)
    }
    connection.handled(number)
  }

  /// A partner sends a message of ours back.
  private func refused(_ id: String, _ error: StanzaError, by stanza: Stanza) {
    guard let link = links[pair(of: stanza)], let entry = link.refused(id, by: stanza) else { return }
    observer.stanza(.message, .outbound, .refused, partner: stanza.from.domain)
    tell(.refused(entry, DeliveryError(error, from: stanza.from.domain)))
  }

  func answered(_ id: SubmissionID, _ answer: Answer) {
    guard let submission = submissions.removeValue(forKey: id) else { return }
    if case .refused(let error) = answer {
      observer.stanza(.message, .inbound, .refused, partner: submission.from.domain)
      var stanza = StanzaBuilder.envelope(
        .message, from: submission.to, to: submission.from, type: "error", id: submission.id)
      stanza.add(StanzaError(error).element)
      link(DomainPair(local: submission.to.domain, remote: submission.from.domain))?.send(answer: stanza)
    }
    inbound[submission.connection]?.handled(submission.number)
  }

  // MARK: Queries and presence

  private func received(query stanza: Stanza, number: UInt64, on connection: InboundConnection) {
    if stanza.type == "result" || stanza.type == "error" {
      let isOurs = links[pair(of: stanza)]?.answered(stanza) ?? false
      return count(stanza, isOurs ? .accepted : .ignored)
    }
    guard let answer = configuration.software.answer(stanza) else { return count(stanza, .ignored) }
    count(stanza, answer["type"] == "error" ? .refused : .accepted)
    let pair = pair(of: stanza)
    guard ServerQueries.isPing(stanza) else {
      link(pair)?.send(answer: answer)
      return
    }
    connection.answer(after: number) { [weak self] in self?.link(pair)?.send(answer: answer) }
  }

  /// Presence is not carried yet. Who asks to see somebody is told so, that they need not wait; the rest wants no
  /// answer (RFC 6121 §3.1.3, §4.3).
  private func received(presence stanza: Stanza) {
    guard stanza.type == "subscribe" else { return count(stanza, .ignored) }
    count(stanza, .refused)
    answer(stanza, with: StanzaError(.serviceUnavailable))
  }

  /// A stanza with a malformed address.
  func refused(on pair: DomainPair, _ answer: XMLElement?) {
    let kind = answer.flatMap { Stanza.Kind(rawValue: $0.local) } ?? .message
    observer.stanza(kind, .inbound, answer == nil ? .ignored : .refused, partner: pair.remote)
    if let answer { link(pair)?.send(answer: answer) }
  }

  private func answer(_ stanza: Stanza, with error: StanzaError) {
    guard let answer = stanza.answered(with: error) else { return }
    link(pair(of: stanza))?.send(answer: answer)
  }

  private func pair(of stanza: Stanza) -> DomainPair {
    DomainPair(local: stanza.to.domain, remote: stanza.from.domain)
  }

  // MARK: Streams

  /// A partner whose connections broke without a word opens new ones: the oldest silent ones go.
  func makeRoom(for domain: String, keeping newest: InboundConnection) {
    let streams = inbound.values.filter { $0.carries(domain) }
    guard streams.count > limits.streamsPerPartner else { return }
    let oldest = streams.filter { $0 !== newest }.min { $0.lastActivity < $1.lastActivity }
    oldest?.abort(
      StreamError(.conflict, cause: "more than \(limits.streamsPerPartner) streams from \(domain)"))
  }
}
