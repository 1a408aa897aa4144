package import XMLStreaming

/// A stanza between two domains: its addresses are read and checked, the rest is as the peer wrote it.
package struct Stanza: Sendable {
  package enum Kind: String, Sendable { case message, presence, iq }

  package let kind: Kind
  package let from: JID
  package let to: JID
  package let element: XMLElement

  package var id: String? { element["id"] }
  package var type: String? { element["type"] }

  /// RFC 6120 §8.1: between servers both addresses are there and well-formed; if not, the stream ends.
  package init(_ element: XMLElement) throws(StreamError) {
    guard element.namespace == Namespace.server, let kind = Kind(rawValue: element.local) else {
      throw StreamError(.unsupportedStanzaType, cause: "peer sent <\(PeerText.bounded(element.local))/>")
    }
    guard let from = element["from"], let to = element["to"] else {
      throw StreamError(.improperAddressing, cause: "\(kind.rawValue) without from or to")
    }
    guard let sender = JID(from), let recipient = JID(to) else {
      throw StreamError(
        .improperAddressing,
        cause:
          "\(kind.rawValue) with a malformed address: from '\(PeerText.bounded(from))' to '\(PeerText.bounded(to))'")
    }
    self.kind = kind
    self.from = sender
    self.to = recipient
    self.element = element
  }

  package init(_ kind: Kind, from: JID, to: JID, element: XMLElement) {
    self.kind = kind
    self.from = from
    self.to = to
    self.element = element
  }
}

extension Stanza {
  /// Whether an error may answer it: never an error for an error (RFC 6120 §8.3.1) or for a result.
  package var mayBeAnsweredWithError: Bool {
    switch kind {
    case .message, .presence: type != "error"
    case .iq: type == "get" || type == "set"
    }
  }

  /// The stanza that tells the sender; nil if none may be sent. What the sender wrote is not sent back.
  package func answered(with error: StanzaError) -> XMLElement? {
    guard mayBeAnsweredWithError else { return nil }
    var answer = StanzaBuilder.envelope(kind, from: to, to: from, type: "error", id: id)
    answer.add(error.element)
    return answer
  }

  /// RFC 6120 §8.2.3.
  package func result(_ payload: XMLElement? = nil) -> XMLElement {
    var answer = StanzaBuilder.envelope(.iq, from: to, to: from, type: "result", id: id)
    if let payload { answer.add(payload) }
    return answer
  }

  /// The error inside a stanza of type `error`.
  package var error: StanzaError? {
    guard type == "error" else { return nil }
    return element.child("error", Namespace.server).flatMap(StanzaError.init) ?? StanzaError(.undefinedCondition)
  }
}

package enum StanzaBuilder {
  package static func envelope(_ kind: Stanza.Kind, from: JID, to: JID, type: String?, id: String?) -> XMLElement {
    var attributes: [XMLAttribute] = []
    attributes.reserveCapacity(5)
    attributes.append(XMLAttribute("from", from.description))
    attributes.append(XMLAttribute("to", to.description))
    if let type { attributes.append(XMLAttribute("type", type)) }
    if let id { attributes.append(XMLAttribute("id", id)) }
    return XMLElement(name: XMLName(kind.rawValue, namespace: Namespace.server), attributes: attributes)
  }

  /// XEP-0199 §4.4.
  package static func ping(from local: JID, to remote: JID, id: String) -> XMLElement {
    envelope(.iq, from: local, to: remote, type: "get", id: id)
      .adding(XMLElement("ping", namespace: Namespace.ping))
  }
}
