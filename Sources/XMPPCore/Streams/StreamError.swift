/// Why a stream ends (RFC 6120 §4.9). Two texts: the peer's, and ours with the true cause.
package struct StreamError: Error, Hashable, Sendable {
  /// RFC 6120 §4.9.3.
  package enum Condition: String, CaseIterable, Sendable {
    case badFormat = "bad-format"
    case badNamespacePrefix = "bad-namespace-prefix"
    case conflict
    case connectionTimeout = "connection-timeout"
    case hostGone = "host-gone"
    case hostUnknown = "host-unknown"
    case improperAddressing = "improper-addressing"
    case internalServerError = "internal-server-error"
    case invalidFrom = "invalid-from"
    case invalidNamespace = "invalid-namespace"
    case invalidXML = "invalid-xml"
    case notAuthorized = "not-authorized"
    case notWellFormed = "not-well-formed"
    case policyViolation = "policy-violation"
    case remoteConnectionFailed = "remote-connection-failed"
    case reset
    case resourceConstraint = "resource-constraint"
    case restrictedXML = "restricted-xml"
    case seeOtherHost = "see-other-host"
    case systemShutdown = "system-shutdown"
    case undefinedCondition = "undefined-condition"
    case unsupportedEncoding = "unsupported-encoding"
    case unsupportedFeature = "unsupported-feature"
    case unsupportedStanzaType = "unsupported-stanza-type"
    case unsupportedVersion = "unsupported-version"
  }

  /// An application-specific condition beside the defined one.
  package enum Detail: Hashable, Sendable {
    /// XEP-0198 §7.
    case handledCountTooHigh(h: UInt32, sent: UInt32)
  }

  package var condition: Condition
  /// May be read by the peer.
  package var text: String?
  /// For the log and the console; never sent.
  package var cause: String
  package var detail: Detail?

  package init(_ condition: Condition, text: String? = nil, cause: String, detail: Detail? = nil) {
    self.condition = condition
    self.text = text
    self.cause = cause
    self.detail = detail
  }
}
