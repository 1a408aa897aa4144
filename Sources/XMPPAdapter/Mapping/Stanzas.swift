package import BrokerCore
import XMLStreaming
package import XMPPCore

/// What the broker has for a partner, as stanzas. nil where a name cannot be written as an address.
package enum OutgoingStanza {
  /// `id`: the sender's, or one that is the same at each attempt, so that a repetition can be told.
  /// `sent`: when it was really sent, if that is some time ago.
  package static func message(_ message: Message, id: String, sent: Timestamp? = nil) -> Stanza? {
    guard let from = JID(message.from), let to = JID(message.to) else { return nil }
    var stanza = StanzaBuilder.envelope(
      .message, from: from, to: to, type: message.kind == .chat ? "chat" : "normal", id: id)
    if let language = message.language { stanza.language = language }
    if let subject = message.subject {
      stanza.add(XMLElement("subject", namespace: Namespace.server, text: subject))
    }
    stanza.add(XMLElement("body", namespace: Namespace.server, text: message.body))
    if let thread = message.thread { stanza.add(XMLElement("thread", namespace: Namespace.server, text: thread)) }
    if let sent { stanza.add(Delay.element(from: message.from.domain, milliseconds: sent.milliseconds)) }
    return Stanza(.message, from: from, to: to, element: stanza)
  }

  /// The id of the stanza that carries the message of an entry.
  package static func id(of message: Message, entry: EntryID) -> String {
    message.id.isEmpty ? "drawbridge-\(entry.rawValue)" : message.id
  }

  /// RFC 6120 §8.3: the answer that the message would have got from its recipient's server.
  package static func failure(_ report: FailureReport) -> Stanza? {
    guard let from = JID(report.recipient), let to = JID(report.sender) else { return nil }
    var stanza = StanzaBuilder.envelope(
      .message, from: from, to: to, type: "error", id: report.messageID.isEmpty ? nil : report.messageID)
    if let thread = report.thread { stanza.add(XMLElement("thread", namespace: Namespace.server, text: thread)) }
    stanza.add(StanzaError(report.error).element)
    return Stanza(.message, from: from, to: to, element: stanza)
  }

  /// XEP-0085 §5.1: a notification of its own.
  package static func signal(_ signal: Signal) -> Stanza? {
    guard let from = JID(signal.from), let to = JID(signal.to) else { return nil }
    var stanza = StanzaBuilder.envelope(.message, from: from, to: to, type: "chat", id: nil)
    stanza.add(XMLElement(signal.kind.chatState, namespace: Namespace.chatStates))
    if let thread = signal.thread { stanza.add(XMLElement("thread", namespace: Namespace.server, text: thread)) }
    return Stanza(.message, from: from, to: to, element: stanza)
  }
}
