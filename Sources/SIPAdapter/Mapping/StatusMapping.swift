package import BrokerCore
package import SIPCore

/// SIP status ↔ error condition: the tables of RFC 7247 §7.
package enum StatusMapping {
  /// Table 2. `fullAddress`: the message was for one endpoint, which 4xx speaks of; 6xx speaks of all of a user's.
  ///
  /// Never 503: a peer would take it for the whole gateway (note 5).
  package static func status(_ error: DeliveryError, fullAddress: Bool) -> Int {
    switch error.condition {
    case .badRequest, .conflict, .jidMalformed, .subscriptionRequired, .undefinedCondition: 400
    case .featureNotImplemented: fullAddress ? 405 : 501
    case .forbidden: fullAddress ? 403 : 603
    case .gone: error.alternative == nil ? 410 : 301
    case .internalServerError, .resourceConstraint: 500
    case .itemNotFound: fullAddress ? 404 : 604
    case .notAcceptable: fullAddress ? 406 : 606
    case .notAllowed, .policyViolation, .serviceUnavailable: 403
    case .notAuthorized: 401
    case .recipientUnavailable: fullAddress ? 480 : 600
    case .redirect: error.alternative == nil ? 480 : 302
    case .registrationRequired: 407
    case .remoteServerNotFound: 404
    case .remoteServerTimeout: 408
    case .unexpectedRequest: 491
    }
  }

  /// Table 3.
  package static func condition(_ status: Int) -> DeliveryError.Condition {
    switch status {
    case 301, 410: .gone
    case 380, 406, 415, 416, 421, 482, 483, 488, 505, 606: .notAcceptable
    case 300..<400: .redirect
    case 401: .notAuthorized
    case 403: .forbidden
    case 404, 481, 484, 485, 604: .itemNotFound
    case 405, 420, 439, 501: .featureNotImplemented
    case 407: .registrationRequired
    case 408, 504: .remoteServerTimeout
    case 413, 414, 440, 489, 513: .policyViolation
    case 423: .resourceConstraint
    case 430, 480, 486, 487: .recipientUnavailable
    case 491: .unexpectedRequest
    case 400..<500: .badRequest
    case 502: .remoteServerNotFound
    case 500..<600: .internalServerError
    default: .recipientUnavailable
    }
  }

  /// What a refusal tells: to the person its reason phrase (RFC 7247 §7), to the operator all it says.
  package static func error(_ response: SIPResponse, to request: String) -> DeliveryError {
    var detail = "\(request) was answered \(response.status) \(response.reason)"
    if let warning = response.headers.list(.warning).first.flatMap(Warning.init(parsing:)) {
      detail += "; Warning \(warning.code) \(warning.agent): \(warning.text)"
    }
    for name in ["ms-diagnostics", "ms-diagnostics-public"] {
      if let value = response.headers[name] { detail += "; \(name) \(value)" }
    }
    let contact = response.headers.list(.contact).first.flatMap(NameAddr.init(parsing:))?.uriText
    let hasMoved = response.status / 100 == 3
    return DeliveryError(
      condition(response.status), text: phrase(response), detail: String(detail.prefix(Self.detailLength)),
      alternative: hasMoved ? contact : nil)
  }

  /// Neither a log line nor a reason phrase is a place for a letter.
  package static let detailLength = 500
  package static let phraseLength = 200

  private static func phrase(_ response: SIPResponse) -> String {
    let given = response.reason.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F && $0.value != 0xFFFD }
    let text = String(String.UnicodeScalarView(given)).prefix(phraseLength)
    return text.isEmpty ? Status.phrase(response.status) : String(text)
  }
}
