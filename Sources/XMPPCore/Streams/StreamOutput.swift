package import XMLStreaming

/// Writes what goes onto a stream between servers.
package enum StreamOutput {
  package static func header(from: String, to: String?, id: String?) -> [UInt8] {
    XMLWriter.streamHeader(
      defaultNamespace: Namespace.server, prefixes: [Namespace.dialback: "db"], from: DomainName.onTheWire(from),
      to: to.map(DomainName.onTheWire), id: id)
  }

  package static func append(_ element: XMLElement, to bytes: inout [UInt8]) {
    XMLWriter.serialize(
      element, streamDefault: Namespace.server, prefixes: Namespace.prefixes, into: &bytes)
  }

  package static func bytes(_ element: XMLElement) -> [UInt8] {
    var bytes: [UInt8] = []
    append(element, to: &bytes)
    return bytes
  }

  /// RFC 6120 §4.9.2.
  static func element(_ error: StreamError) -> XMLElement {
    var element = XMLElement("error", namespace: Namespace.streams)
    element.add(XMLElement(error.condition.rawValue, namespace: Namespace.streamErrors))
    if let text = error.text { element.add(XMLElement("text", namespace: Namespace.streamErrors, text: text)) }
    if case .handledCountTooHigh(let h, let sent) = error.detail {
      element.add(
        XMLElement(
          "handled-count-too-high", namespace: Namespace.streamManagement,
          attributes: [("h", String(h)), ("send-count", String(sent))]))
    }
    return element
  }
}

extension StreamError {
  /// What the peer said in `<stream:error/>`. Its words are cut to a length a log line can bear.
  init(peer element: XMLElement) {
    var condition = Condition.undefinedCondition
    for child in element.elements where child.namespace == Namespace.streamErrors && child.local != "text" {
      condition = Condition(rawValue: child.local) ?? .undefinedCondition
      break
    }
    let text = element.child("text", Namespace.streamErrors).map { PeerText.bounded($0.text) }
    let said = text.map { "\(condition.rawValue) (\($0))" } ?? condition.rawValue
    self.init(condition, text: text, cause: "peer ended the stream: \(said)")
  }
}

/// Texts of peers that we show to somebody.
package enum PeerText {
  package static let maximumBytes = 512

  /// One line of at most `maximumBytes`.
  package static func bounded(_ text: String) -> String {
    var view = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
      count += UTF8.width(scalar)
      if count > maximumBytes { break }
      view.append(scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return String(view)
  }
}
