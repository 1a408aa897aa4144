/// A `sip:` or `sips:` URI (RFC 3261 §19.1), or an `im:` or `pres:` URI, which read the same here (RFC 3860, RFC 3859).
package struct SIPURI: Hashable, Sendable {
  package enum Scheme: String, Sendable { case sip, sips, im, pres }

  package var scheme: Scheme
  /// With its percent-escapes, as on the wire.
  package var user: String?
  package var password: String?
  /// In lower case; an IPv6 literal keeps its brackets.
  package var host: String
  package var port: UInt16?
  package var parameters: Parameters
  /// What follows `?`, unparsed.
  package var headers: String?

  package init(
    _ scheme: Scheme = .sip, user: String? = nil, host: String, port: UInt16? = nil, parameters: Parameters = .init()
  ) {
    self.scheme = scheme
    self.user = user
    self.host = host.asciiLowercased
    self.port = port
    self.parameters = parameters
  }

  package init?(_ text: String) { self.init(parsing: Array(text.utf8)[...]) }

  package init?(parsing bytes: ArraySlice<UInt8>) {
    guard let colon = bytes.firstIndex(of: ASCII.colon) else { return nil }
    let name = bytes[..<colon]
    if ASCII.equalsIgnoringCase(name, "sip") {
      scheme = .sip
    } else if ASCII.equalsIgnoringCase(name, "sips") {
      scheme = .sips
    } else if ASCII.equalsIgnoringCase(name, "im") {
      scheme = .im
    } else if ASCII.equalsIgnoringCase(name, "pres") {
      scheme = .pres
    } else {
      return nil
    }
    var cursor = Cursor(bytes[(colon + 1)...])
    // No part of a URI but the user info may hold an unescaped "@".
    if bytes[(colon + 1)...].contains(ASCII.at) {
      guard let user = cursor.takeEscaped(ASCII.isUser), !user.isEmpty else { return nil }
      self.user = String(header: user)
      if cursor.skip(ASCII.colon) {
        guard let password = cursor.takeEscaped(ASCII.isPassword) else { return nil }
        self.password = String(header: password)
      }
      guard cursor.skip(ASCII.at) else { return nil }
    }
    guard let host = HostPort.takeHost(&cursor), let port = HostPort.takePort(&cursor) else { return nil }
    self.host = host
    self.port = port.number
    let tail = cursor.rest
    let mark = tail.firstIndex(of: ASCII.question) ?? tail.endIndex
    guard let parameters = Parameters(uri: tail[..<mark]) else { return nil }
    self.parameters = parameters
    if mark < tail.endIndex {
      var headers = Cursor(tail[(mark + 1)...])
      guard
        let taken = headers.takeEscaped({ ASCII.isHeader($0) || $0 == ASCII.equals || $0 == UInt8(ascii: "&") }),
        headers.isAtEnd
      else { return nil }
      self.headers = String(header: taken)
    }
  }
}

extension SIPURI: CustomStringConvertible {
  package var description: String {
    var text = scheme.rawValue + ":"
    if let user {
      text += user
      if let password { text += ":" + password }
      text += "@"
    }
    text += host
    if let port { text += ":\(port)" }
    parameters.write(to: &text)
    if let headers { text += "?" + headers }
    return text
  }
}

/// `host [":" port]` of URIs and Via.
enum HostPort {
  /// Lower-cased; `nil` where there is no host or it is malformed.
  static func takeHost(_ cursor: inout Cursor) -> String? {
    if cursor.peek == ASCII.openBracket {
      _ = cursor.skip(ASCII.openBracket)
      let digits = cursor.take { ASCII.isHex($0) || $0 == ASCII.colon || $0 == UInt8(ascii: ".") }
      guard digits.count >= 2, digits.contains(ASCII.colon), cursor.skip(ASCII.closeBracket) else { return nil }
      return "[" + String(header: digits).asciiLowercased + "]"
    }
    // COMPAT: "_" is no host name character, yet hosts inside organisations have it.
    let name = cursor.take {
      ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
    }
    guard let first = name.first, ASCII.isAlphanumeric(first) || first == UInt8(ascii: "_") else { return nil }
    return String(header: name).asciiLowercased
  }

  /// The port after a colon, none where there is no colon; `nil` where it is malformed.
  static func takePort(_ cursor: inout Cursor) -> (number: UInt16?, Void)? {
    guard cursor.skip(ASCII.colon) else { return (nil, ()) }
    guard let port: UInt16 = ASCII.number(cursor.take(while: ASCII.isDigit)) else { return nil }
    return (port, ())
  }
}
