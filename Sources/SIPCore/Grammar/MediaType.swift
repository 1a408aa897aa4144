/// `Content-Type: text/plain;charset=UTF-8`. Type and subtype in lower case.
package struct MediaType: Hashable, Sendable {
  package var type: String
  package var subtype: String
  package var parameters: Parameters

  package init(_ type: String, _ subtype: String, parameters: Parameters = .init()) {
    self.type = type
    self.subtype = subtype
    self.parameters = parameters
  }

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(ASCII.trimmed(bytes))
    let type = cursor.take(while: ASCII.isToken)
    cursor.skipBlanks()
    guard !type.isEmpty, cursor.skip(ASCII.slash) else { return nil }
    cursor.skipBlanks()
    let subtype = cursor.take(while: ASCII.isToken)
    guard !subtype.isEmpty, let parameters = Parameters(header: cursor.rest) else { return nil }
    self.type = String(header: type).asciiLowercased
    self.subtype = String(header: subtype).asciiLowercased
    self.parameters = parameters
  }

  /// `text/plain`
  package var essence: String { type + "/" + subtype }

  /// The value of a parameter without quotes.
  package func parameter(_ name: String) -> String? {
    guard let value = parameters[name] else { return nil }
    return value.utf8.first == ASCII.quote ? QuotedString.unquote(Array(value.utf8)[...]) : value
  }

  package static let plainText = MediaType("text", "plain", parameters: Parameters([.init("charset", "UTF-8")]))
  package static let sdp = MediaType("application", "sdp")
  package static let xml = MediaType("application", "xml")
}

extension MediaType: CustomStringConvertible {
  package var description: String {
    var text = essence
    parameters.write(to: &text)
    return text
  }
}
