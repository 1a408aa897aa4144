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
