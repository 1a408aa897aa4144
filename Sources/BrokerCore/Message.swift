/// One instant message, in no protocol's own form.
package struct Message: Hashable, Sendable {
  package enum Kind: UInt8, Sendable {
    /// Part of a conversation (XMPP `type='chat'`).
    case chat = 0
    /// Stands alone, like an e-mail (XMPP `type='normal'`, RFC 7572 pager mode).
    case single = 1
  }

  /// The sender's own id. A retry carries the same one; at the far side it appears unchanged. Empty where the
  /// sender gave none.
  package var id: String
  package var from: Address
  package var to: Address
  package var kind: Kind
  package var body: String
  package var subject: String?
  /// Names the conversation: XMPP `<thread/>`, SIP Call-ID (RFC 7572 §4).
  package var thread: String?
  /// BCP 47 tag of the body's language: `xml:lang`, `Content-Language`.
  package var language: String?

  package init(
    id: String, from: Address, to: Address, kind: Kind = .chat, body: String, subject: String? = nil,
    thread: String? = nil, language: String? = nil
  ) {
    self.id = id
    self.from = from
    self.to = to
    self.kind = kind
    self.body = body
    self.subject = subject
    self.thread = thread
    self.language = language
  }
}

/// Tells a sender that a message of theirs, which had been accepted, did not arrive after all.
package struct FailureReport: Hashable, Sendable {
  /// `Message.id`, `from`, `to` and `thread` of the message that failed, as its sender wrote them.
  package var messageID: String
  package var sender: Address
  package var recipient: Address
  package var thread: String?
  /// When the gateway had accepted the message.
  package var accepted: Timestamp
  package var error: DeliveryError

  package init(of message: Message, accepted: Timestamp, error: DeliveryError) {
    self.init(
      messageID: message.id, sender: message.from, recipient: message.to, thread: message.thread, accepted: accepted,
      error: error)
  }

  package init(
    messageID: String, sender: Address, recipient: Address, thread: String?, accepted: Timestamp, error: DeliveryError
  ) {
    self.messageID = messageID
    self.sender = sender
    self.recipient = recipient
    self.thread = thread
    self.accepted = accepted
    self.error = error
  }
}

/// Something that is worth telling while it is true and worth nothing a moment later: never stored, never retried.
package struct Signal: Hashable, Sendable {
  package enum Kind: Sendable { case composing, paused, active, inactive, gone }

  package var from: Address
  package var to: Address
  package var kind: Kind
  package var thread: String?

  package init(from: Address, to: Address, kind: Kind, thread: String? = nil) {
    self.from = from
    self.to = to
    self.kind = kind
    self.thread = thread
  }
}
