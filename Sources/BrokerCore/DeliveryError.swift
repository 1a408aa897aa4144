/// Why something was not delivered. One error, two texts: one that may leave the organisation, one for its operator.
package struct DeliveryError: Error, Hashable, Sendable {
  /// The stanza error conditions of RFC 6120 §8.3.3 serve as the neutral vocabulary: RFC 7247 §7 maps every SIP
  /// status to one of them and back, so nothing is lost on the way through.
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

    /// For a person, where the one who refused gave no text.
    package var meaning: String {
      switch self {
      case .badRequest, .unexpectedRequest, .undefinedCondition: "The other side could not make sense of it."
      case .conflict: "It conflicts with something on the other side."
      case .featureNotImplemented: "The other side cannot do this."
      case .forbidden, .notAllowed, .notAuthorized, .registrationRequired, .subscriptionRequired:
        "The other side does not allow it."
      case .gone, .redirect: "The recipient has another address now."
      case .internalServerError: "The other side has a problem."
      case .itemNotFound: "There is no such user."
      case .jidMalformed: "The address is not valid."
      case .notAcceptable, .policyViolation: "The other side does not accept this message."
      case .recipientUnavailable: "The recipient is not available."
      case .remoteServerNotFound: "There is no server for that address."
      case .remoteServerTimeout: "The other side does not answer."
      case .resourceConstraint: "The other side is too busy. Please try again later."
      case .serviceUnavailable: "The recipient cannot be reached this way."
      }
    }
  }

  package var condition: Condition
  /// May be shown to the person at the other end. Names no internal host, no rule, no software.
  package var text: String
  /// For log, console and metrics: the true cause. Never holds a message body.
  package var detail: String
  /// Where the addressee went, for `gone` and `redirect` (a URI of the refusing side's protocol).
  package var alternative: String?

  package init(_ condition: Condition, text: String, detail: String, alternative: String? = nil) {
    self.condition = condition
    self.text = text
    self.detail = detail
    self.alternative = alternative
  }
}
