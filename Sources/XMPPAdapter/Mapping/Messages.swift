package import BrokerCore
import XMLStreaming
package import XMPPCore

/// What a `message` stanza is to the broker.
package enum MessageMeaning: Hashable, Sendable {
  case message(Message)
  case signal(Signal)
  /// An answer to a message of ours: it was refused.
  case refusal(id: String, StanzaError)
  /// Not for us; the sender is told.
  case refused(StanzaError)
  /// Nothing that the other side could be told.
  case nothing
}

extension MessageMeaning {
  package init(_ stanza: Stanza) {
    switch stanza.type {
    case "error":
      self = .refusal(id: stanza.id ?? "", stanza.error ?? StanzaError(.undefinedCondition))
    case "groupchat":
      // RFC 6121 §5.2.2; rooms come with another adapter's help, not here.
      self = .refused(StanzaError(.serviceUnavailable))
    case "headline":
      // RFC 6121 §5.2.2: nobody expects an answer, and it is not a conversation.
      self = .nothing
    case "chat": self.init(stanza, .chat)
    default:
      // No type, `normal`, and by §5.2.2 any that is unknown.
      self.init(stanza, .single)
    }
  }

  private init(_ stanza: Stanza, _ kind: Message.Kind) {
    guard !stanza.to.local.isEmpty, !stanza.from.local.isEmpty else {
      // RFC 6121 §8.2: the domain itself holds no conversation, nor can anybody answer a server.
      self =
        stanza.element.child("body", Namespace.server) == nil ? .nothing : .refused(StanzaError(.serviceUnavailable))
      return
    }
    let thread = stanza.element.child("thread", Namespace.server)?.text
    guard let body = Self.preferred(stanza.element.children("body", Namespace.server)), !body.text.isEmpty else {
      let state = stanza.element.elements.first { $0.namespace == Namespace.chatStates }
      self =
        state.flatMap { Signal.Kind(chatState: $0.local) }.map {
          .signal(Signal(from: Address(stanza.from), to: Address(stanza.to), kind: $0, thread: thread))
        } ?? .nothing
      return
    }
    self = .message(
      Message(
        id: stanza.id ?? "", from: Address(stanza.from), to: Address(stanza.to), kind: kind, body: body.text,
        subject: Self.preferred(stanza.element.children("subject", Namespace.server))?.text, thread: thread,
        language: body.language ?? stanza.element.language))
  }

  /// RFC 6121 §5.2.3: of several in different languages the one without a tag of its own, else the first.
  private static func preferred(_ variants: [XMLElement]) -> XMLElement? {
    variants.first { $0.language == nil } ?? variants.first
  }
}

extension Signal.Kind {
  /// XEP-0085 §2.
  init?(chatState: String) {
    switch chatState {
    case "composing": self = .composing
    case "paused": self = .paused
    case "active": self = .active
    case "inactive": self = .inactive
    case "gone": self = .gone
    default: return nil
    }
  }

  var chatState: String {
    switch self {
    case .composing: "composing"
    case .paused: "paused"
    case .active: "active"
    case .inactive: "inactive"
    case .gone: "gone"
    }
  }
}
