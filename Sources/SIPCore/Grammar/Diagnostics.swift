// The header fields in which a refusal explains itself.

/// `Warning: 399 host "text"` (RFC 3261 §20.43).
package struct Warning: Hashable, Sendable {
  package var code: Int
  package var agent: String
  package var text: String

  package init(_ code: Int, agent: String, text: String) {
    self.code = code
    self.agent = agent
    self.text = text
  }

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(ASCII.trimmed(bytes))
    let digits = cursor.take(while: ASCII.isDigit)
    guard digits.count == 3, let code: Int = ASCII.number(digits) else { return nil }
    cursor.skipBlanks()
    let agent = cursor.take { !ASCII.isBlank($0) }
    cursor.skipBlanks()
    guard !agent.isEmpty, let text = cursor.takeQuoted() else { return nil }
    self.init(code, agent: String(header: agent), text: QuotedString.unquote(text))
  }
}

extension Warning: CustomStringConvertible {
  package var description: String { "\(code) \(agent) \(QuotedString.quote(text))" }
}

/// `Retry-After: 120 (maintenance);duration=60`: seconds only; the comment says nothing to a program.
package struct RetryAfter: Hashable, Sendable {
  package var seconds: UInt32

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(ASCII.trimmed(bytes))
    guard let seconds: UInt32 = ASCII.number(cursor.take(while: ASCII.isDigit)) else { return nil }
    self.seconds = seconds
  }
}

/// `Reason: SIP;cause=200;text="…"` (RFC 3326).
package struct Reason: Hashable, Sendable {
  package var `protocol`: String
  package var cause: Int?
  package var text: String?

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(ASCII.trimmed(bytes))
    let name = cursor.take(while: ASCII.isToken)
    guard !name.isEmpty, let parameters = Parameters(header: cursor.rest) else { return nil }
    `protocol` = String(header: name)
    cause = parameters["cause"].flatMap { Int($0) }
    text = parameters["text"].map { QuotedString.unquote(Array($0.utf8)[...]) }
  }
}

/// Microsoft's `ms-diagnostics: 1017;reason="…"` and its form that leaves the organisation, `ms-diagnostics-public`.
package struct MicrosoftDiagnostics: Hashable, Sendable {
  package var id: UInt32
  package var reason: String?

  package init?(_ text: String) {
    var cursor = Cursor(Array(text.utf8)[...])
    guard let id: UInt32 = ASCII.number(cursor.take(while: ASCII.isDigit)),
      let parameters = Parameters(header: cursor.rest)
    else { return nil }
    self.id = id
    reason = parameters["reason"].map { QuotedString.unquote(Array($0.utf8)[...]) }
  }
}
