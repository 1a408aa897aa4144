package import BrokerCore
package import XMPPCore

extension StanzaError {
  /// The neutral conditions are those of RFC 6120, so that nothing is lost.
  package init(_ error: DeliveryError) {
    self.init(
      Condition(rawValue: error.condition.rawValue) ?? .undefinedCondition, text: error.text,
      alternative: error.alternative)
  }
}

extension DeliveryError {
  /// What a partner answered to a message of ours.
  package init(_ error: StanzaError, from partner: String) {
    let condition = Condition(rawValue: error.condition.rawValue) ?? .undefinedCondition
    let said = error.text.map { " (\($0))" } ?? ""
    self.init(
      condition, text: error.text ?? condition.meaning,
      detail: "\(partner) answered \(error.condition.rawValue)\(said)",
      alternative: error.alternative)
  }

  /// Why a partner's server is not reached.
  package init(_ failure: StreamFailure, partner: String) {
    let text =
      failure.condition == .remoteServerNotFound
      ? "There is no server for \(partner)." : "The server of \(partner) cannot be reached."
    self.init(
      Condition(rawValue: failure.condition.rawValue) ?? .remoteServerTimeout, text: text,
      detail: "\(failure.stage.rawValue): \(failure.cause)")
  }

  static func tooLarge(for partner: String, detail: String) -> DeliveryError {
    DeliveryError(.policyViolation, text: "\(partner) does not take this message.", detail: detail)
  }
}

extension StreamFailure {
  /// Whether the partner ended an established stream for what it read on it.
  var blamesContent: Bool {
    switch peerCondition {
    case .policyViolation, .invalidXML, .notWellFormed, .badFormat, .restrictedXML, .unsupportedStanzaType,
      .improperAddressing:
      stage == .stream
    default: false
    }
  }
}
