/// What a stanza of type `error` says (RFC 6120 §8.3).
package struct StanzaError: Hashable, Sendable {
  /// RFC 6120 §8.3.3.
  package enum Condition: String, CaseIterable, Sendable {
    case badRequest = "bad-request"
    case conflict
    case featureNotImplemented = "feature-not-implemented"
    case forbidden
    case gone
    case internalServerError = "internal-server-error"
    case itemNotFound = "item-not-found"
    case jidMalformed = "jid-malformed"
    case notAcceptable = "not-acceptable"
    case notAllowed = "not-allowed"
    case notAuthorized = "not-authorized"
    case policyViolation = "policy-violation"
    case recipientUnavailable = "recipient-unavailable"
    case redirect
    case registrationRequired = "registration-required"
    case remoteServerNotFound = "remote-server-not-found"
    case remoteServerTimeout = "remote-server-timeout"
    case resourceConstraint = "resource-constraint"
    case serviceUnavailable = "service-unavailable"
    case subscriptionRequired = "subscription-required"
    case undefinedCondition = "undefined-condition"
    case unexpectedRequest = "unexpected-request"

    /// What the sender may do about it, as recommended for each condition.
    package var kind: Kind {
      switch self {
      case .badRequest, .jidMalformed, .notAcceptable, .policyViolation, .redirect: .modify
      case .conflict, .featureNotImplemented, .gone, .internalServerError, .itemNotFound, .notAllowed,
        .remoteServerNotFound, .serviceUnavailable, .undefinedCondition:
        .cancel
      case .forbidden, .notAuthorized, .registrationRequired, .subscriptionRequired: .auth
      case .recipientUnavailable, .remoteServerTimeout, .resourceConstraint, .unexpectedRequest: .wait
      }
    }
  }

  /// RFC 6120 §8.3.2.
  package enum Kind: String, Sendable { case auth, cancel, `continue`, modify, wait }

  package var condition: Condition
  package var kind: Kind
  package var text: String?
  /// The new address inside `gone` and `redirect`: a URI.
  package var alternative: String?

  package init(_ condition: Condition, kind: Kind? = nil, text: String? = nil, alternative: String? = nil) {
    self.condition = condition
    self.kind = kind ?? condition.kind
    self.text = text
    self.alternative = alternative
  }
}
