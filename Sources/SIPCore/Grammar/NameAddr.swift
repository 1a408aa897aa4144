/// `name-addr` or `addr-spec` with header parameters: From, To, Contact, Route, Record-Route, Refer-To, Reply-To.
package struct NameAddr: Hashable, Sendable {
  package var displayName: String?
  /// As on the wire. Contacts and routes may be signed by their maker and have to be sent back to the letter.
  package var uriText: String
  /// Header parameters: `tag`, `epid`, `expires` …
  package var parameters: Parameters

  /// `nil` for schemes that SIP does not route, like `tel:` and `http:`.
  package var uri: SIPURI? { SIPURI(uriText) }
  package var tag: String? { parameters["tag"] }

  package init(displayName: String? = nil, uri: SIPURI, parameters: Parameters = .init()) {
    self.init(displayName: displayName, uriText: uri.description, parameters: parameters)
  }

  package init(displayName: String? = nil, uriText: String, parameters: Parameters = .init()) {
    self.displayName = displayName
    self.uriText = uriText
    self.parameters = parameters
  }

  package init?(_ text: String) { self.init(parsing: Array(text.utf8)[...]) }

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(ASCII.trimmed(bytes))
    var name: String?
    if cursor.peek == ASCII.quote {
      guard let quoted = cursor.takeQuoted() else { return nil }
      name = QuotedString.unquote(quoted)
      cursor.skipBlanks()
      guard cursor.peek == ASCII.less else { return nil }
    } else if let bracket = cursor.rest.firstIndex(of: ASCII.less) {
      let tokens = ASCII.trimmed(cursor.rest[..<bracket])
      // RFC 4475 §3.1.2.15 (baddn) would have an unquoted name of anything but tokens refused; UTF-8 is let pass. In an
      // addr-spec a bracket may stand in a quoted parameter; whatever else has one is no URI.
      if tokens.allSatisfy({ ASCII.isToken($0) || ASCII.isBlank($0) || $0 >= 0x80 }) {
        if !tokens.isEmpty { name = String(header: tokens) }
        _ = cursor.take { $0 != ASCII.less }
      }
    }
    displayName = name
    let uri: ArraySlice<UInt8>
    if cursor.skip(ASCII.less) {
      uri = cursor.take { $0 != ASCII.greater }
      guard cursor.skip(ASCII.greater) else { return nil }
    } else {
      // Without brackets parameters are the header's, and the URI can have no "?", "," or ";" of its own
      // (RFC 3261 §20).
      uri = ASCII.trimmed(cursor.take { $0 != ASCII.semicolon })
      guard !uri.contains(ASCII.question), !uri.contains(ASCII.comma) else { return nil }
    }
    guard Self.isAbsolute(uri), let parameters = Parameters(header: cursor.rest) else { return nil }
    uriText = String(header: uri)
    self.parameters = parameters
  }

  /// `scheme ":" …` without blanks; a SIP URI has to be one.
  private static func isAbsolute(_ uri: ArraySlice<UInt8>) -> Bool {
    guard let colon = uri.firstIndex(of: ASCII.colon), let first = uri.first, ASCII.isAlpha(first) else { return false }
    guard uri.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != ASCII.less && $0 != ASCII.quote }) else { return false }
    let scheme = uri[..<colon]
    if ASCII.equalsIgnoringCase(scheme, "sip") || ASCII.equalsIgnoringCase(scheme, "sips") {
      return SIPURI(parsing: uri) != nil
    }
    return true
  }
}

extension NameAddr: CustomStringConvertible {
  package var description: String {
    var text = ""
    if let displayName, !displayName.isEmpty { text = QuotedString.quote(displayName) + " " }
    text += "<" + uriText + ">"
    parameters.write(to: &text)
    return text
  }
}
