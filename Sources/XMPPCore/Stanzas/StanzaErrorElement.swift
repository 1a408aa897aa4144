package import XMLStreaming

extension StanzaError {
  /// RFC 6120 §8.3.2, with the number that clients of the last century read (XEP-0086).
  package var element: XMLElement {
    var element = XMLElement(
      "error", namespace: Namespace.server,
      attributes: [("type", kind.rawValue), ("code", String(condition.legacyCode))])
    element.add(
      XMLElement(
        condition.rawValue, namespace: Namespace.stanzaErrors, text: condition.takesURI ? alternative ?? "" : ""))
    if let text, !text.isEmpty {
      element.add(
        XMLElement("text", namespace: Namespace.stanzaErrors, text: text).adding(
          attribute: "lang", namespace: XMLNamespace.xml, "en"))
    }
    return element
  }

  /// Reads `<error/>`; nil where it holds neither a condition nor a type that we know.
  package init?(_ element: XMLElement) {
    let kind = element["type"].flatMap(Kind.init)
    let found = element.elements.first { $0.namespace == Namespace.stanzaErrors && $0.local != "text" }
    let condition = found.flatMap { Condition(rawValue: $0.local) }
    guard condition != nil || kind != nil else { return nil }
    let text = element.child("text", Namespace.stanzaErrors).map { PeerText.bounded($0.text) }
    var alternative: String?
    if let condition, condition.takesURI, let found, !found.text.isEmpty {
      alternative = PeerText.bounded(found.text)
    }
    self.init(condition ?? .undefinedCondition, kind: kind, text: text, alternative: alternative)
  }
}

extension StanzaError.Condition {
  /// RFC 6120 §8.3.3.5, §8.3.3.14.
  var takesURI: Bool { self == .gone || self == .redirect }

  /// XEP-0086 §3.
  var legacyCode: Int {
    switch self {
    case .badRequest, .jidMalformed, .unexpectedRequest: 400
    case .conflict: 409
    case .featureNotImplemented: 501
    case .forbidden: 403
    case .gone, .redirect: 302
    case .internalServerError, .resourceConstraint, .undefinedCondition: 500
    case .itemNotFound, .recipientUnavailable, .remoteServerNotFound: 404
    case .notAcceptable, .policyViolation: 406
    case .notAllowed: 405
    case .notAuthorized: 401
    case .registrationRequired, .subscriptionRequired: 407
    case .remoteServerTimeout: 504
    case .serviceUnavailable: 503
    }
  }
}
