/// Why a partner's server could not be reached, or was lost.
package struct StreamFailure: Error, Hashable, Sendable {
  package enum Stage: String, CaseIterable, Sendable {
    case resolution, connection, tls, certificate, negotiation, authentication, stream, confirmation
  }

  package var stage: Stage
  /// What senders are told (RFC 6120 §8.3.3).
  package var condition: StanzaError.Condition
  /// The true cause, for the operator.
  package var cause: String
  /// Whether only an operator, ours or theirs, can mend it.
  package var isPermanent: Bool
  /// What the peer said, where it ended the stream with an error.
  package var peerCondition: StreamError.Condition?

  package init(
    _ stage: Stage, _ condition: StanzaError.Condition, cause: String, isPermanent: Bool,
    peerCondition: StreamError.Condition? = nil
  ) {
    self.stage = stage
    self.condition = condition
    self.cause = cause
    self.isPermanent = isPermanent
    self.peerCondition = peerCondition
  }

  /// The peer ended the stream with an error.
  init(_ error: StreamError, stage: Stage) {
    let isPermanent =
      switch error.condition {
      // What a server says to those it does not want, or who came to the wrong one.
      case .hostUnknown, .hostGone, .notAuthorized, .policyViolation, .invalidFrom, .improperAddressing,
        .invalidNamespace, .unsupportedVersion, .unsupportedFeature, .badFormat, .badNamespacePrefix,
        .unsupportedEncoding, .invalidXML, .notWellFormed, .restrictedXML, .unsupportedStanzaType:
        stage != .stream
      case .conflict, .connectionTimeout, .internalServerError, .remoteConnectionFailed, .reset, .resourceConstraint,
        .seeOtherHost, .systemShutdown, .undefinedCondition:
        false
      }
    let condition: StanzaError.Condition =
      error.condition == .hostUnknown || error.condition == .hostGone ? .remoteServerNotFound : .remoteServerTimeout
    self.init(stage, condition, cause: error.cause, isPermanent: isPermanent, peerCondition: error.condition)
  }
}
