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
