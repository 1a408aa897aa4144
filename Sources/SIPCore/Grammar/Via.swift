/// One hop of a request's way: `SIP/2.0/TLS host:port;branch=…` (RFC 3261 §20.42).
package struct Via: Hashable, Sendable {
  /// In upper case: `TLS`, `TCP`, `UDP` …
  package var transport: String
  package var host: String
  package var port: UInt16?
  package var parameters: Parameters

  package init(transport: String, host: String, port: UInt16?, parameters: Parameters) {
    self.transport = transport
    self.host = host.asciiLowercased
    self.port = port
    self.parameters = parameters
  }

  package var branch: String? { parameters["branch"] }

  /// `host[:port]`, part of what identifies a transaction (RFC 3261 §17.2.3).
  package var sentBy: String { port.map { "\(host):\($0)" } ?? host }

  /// What the branch of every transaction of RFC 3261 starts with (§8.1.1.7).
  package static let magicCookie = "z9hG4bK"

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(ASCII.trimmed(bytes))
    guard ASCII.equalsIgnoringCase(cursor.take(while: ASCII.isToken), "SIP"), Self.skipSlash(&cursor),
      cursor.take(while: ASCII.isToken).elementsEqual("2.0".utf8), Self.skipSlash(&cursor)
    else { return nil }
    let transport = cursor.take(while: ASCII.isToken)
    guard !transport.isEmpty, cursor.peek.map(ASCII.isBlank) == true else { return nil }
    self.transport = String(decoding: transport.map { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }, as: UTF8.self)
    cursor.skipBlanks()
    guard let host = HostPort.takeHost(&cursor) else { return nil }
    self.host = host
    cursor.skipBlanks()
    if cursor.skip(ASCII.colon) {
      cursor.skipBlanks()
      guard let port: UInt16 = ASCII.number(cursor.take(while: ASCII.isDigit)) else { return nil }
      self.port = port
    }
    guard let parameters = Parameters(header: cursor.rest) else { return nil }
    self.parameters = parameters
  }

  private static func skipSlash(_ cursor: inout Cursor) -> Bool {
    cursor.skipBlanks()
    guard cursor.skip(ASCII.slash) else { return false }
    cursor.skipBlanks()
    return true
  }
}

extension Via: CustomStringConvertible {
  package var description: String {
    var text = "SIP/2.0/\(transport) \(sentBy)"
    parameters.write(to: &text)
    return text
  }
}
