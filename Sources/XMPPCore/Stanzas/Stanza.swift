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
    guard let sender = Self.address(from), let recipient = Self.address(to) else {
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

  /// Servers differ in the resources they allow (private characters, newer emoji). Who is meant is clear without one.
  private static func address(_ text: String) -> JID? {
    JID(text) ?? JID(bare(text))
  }

  private static func bare(_ text: String) -> String {
    String(Substring(text.utf8.prefix { $0 != UInt8(ascii: "/") }))
  }

  package init(_ kind: Kind, from: JID, to: JID, element: XMLElement) {
    self.kind = kind
    self.from = from
    self.to = to
    self.element = element
  }
}

extension Stanza {
  /// The domains of a stanza whose addresses are malformed only in front of the `@`; nil if that is not what is wrong
  /// with it. Servers differ in the names they allow, and one user's name must not end the stream of all.
  static func domains(of element: XMLElement) -> DomainPair? {
    guard element.namespace == Namespace.server, Kind(rawValue: element.local) != nil,
      let remote = element["from"].flatMap(domain), let local = element["to"].flatMap(domain)
    else { return nil }
    return DomainPair(local: local, remote: remote)
  }

  private static func domain(of text: String) -> String? {
    let bare = bare(text)
    let at = bare.utf8.firstIndex(of: UInt8(ascii: "@"))
    return DomainName.normalised(at.map { String(bare[bare.utf8.index(after: $0)...]) } ?? bare)
  }

  /// The answer to such a stanza, to whoever its server thinks has sent it; nil if none may be sent.
  static func malformed(_ element: XMLElement) -> XMLElement? {
    guard let kind = Kind(rawValue: element.local), mayBeAnsweredWithError(kind, type: element["type"]) else {
      return nil
    }
    let attributes = [("from", element["to"]), ("to", element["from"]), ("type", "error"), ("id", element["id"])]
    return XMLElement(
      kind.rawValue, namespace: Namespace.server,
      attributes: attributes.compactMap { name, value in value.map { XMLAttribute(name, $0) } }
    ).adding(StanzaError(.jidMalformed).element)
  }

  /// Whether an error may answer it: never an error for an error (RFC 6120 §8.3.1) or for a result.
  package var mayBeAnsweredWithError: Bool { Self.mayBeAnsweredWithError(kind, type: type) }

  private static func mayBeAnsweredWithError(_ kind: Kind, type: String?) -> Bool {
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
