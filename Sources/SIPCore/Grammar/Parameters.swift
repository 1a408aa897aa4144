/// `;name=value` lists, as URIs and header fields carry them. Names are compared without regard to case; the first of
/// equal names counts.
package struct Parameters: Hashable, Sendable {
  package struct Parameter: Hashable, Sendable {
    package var name: String
    /// As on the wire: percent-escapes of a URI and the quotes of a header field are still there.
    package var value: String?

    package init(_ name: String, _ value: String? = nil) {
      self.name = name
      self.value = value
    }
  }

  package private(set) var elements: [Parameter]

  package init(_ elements: [Parameter] = []) { self.elements = elements }

  package var isEmpty: Bool { elements.isEmpty }

  package func contains(_ name: String) -> Bool { index(of: name) != nil }

  package subscript(name: String) -> String? {
    get { index(of: name).flatMap { elements[$0].value } }
    set {
      if let index = index(of: name) {
        elements[index].value = newValue
      } else {
        elements.append(Parameter(name, newValue))
      }
    }
  }

  package mutating func remove(_ name: String) {
    if let index = index(of: name) { elements.remove(at: index) }
  }

  private func index(of name: String) -> Int? {
    if elements.isEmpty { return nil }
    let lowered = name.asciiLowercased
    return elements.firstIndex { $0.name.asciiLowercased == lowered }
  }

  func write(to text: inout String) {
    for parameter in elements {
      text += ";"
      text += parameter.name
      if let value = parameter.value {
        text += "="
        text += value
      }
    }
  }

  /// `generic-param` of a header field, from its first `;` on; values may be quoted strings and blanks may surround
  /// every separator (RFC 3261 §25.1 SEMI, EQUAL).
  init?(header bytes: ArraySlice<UInt8>) {
    elements = []
    var cursor = Cursor(bytes)
    while true {
      cursor.skipBlanks()
      if cursor.isAtEnd { return }
      guard cursor.skip(ASCII.semicolon) else { return nil }
      cursor.skipBlanks()
      let name = cursor.take(while: ASCII.isToken)
      guard !name.isEmpty else { return nil }
      cursor.skipBlanks()
      guard cursor.skip(ASCII.equals) else {
        elements.append(Parameter(String(header: name)))
        continue
      }
      cursor.skipBlanks()
      let value: ArraySlice<UInt8>
      if cursor.peek == ASCII.quote {
        guard let quoted = cursor.takeQuoted() else { return nil }
        value = quoted
      } else {
        // `token / host`; an IPv6 reference is the only host that is no token. COMPAT: Microsoft adds values with
        // "=", "/" and ":" (`ms-received-cid`, `epid`), and base64 is common.
        value = cursor.take { ASCII.isToken($0) || ASCII.isParameter($0) || $0 == ASCII.equals || $0 == ASCII.at }
        guard !value.isEmpty else { return nil }
      }
      elements.append(Parameter(String(header: name), String(header: value)))
    }
  }

  /// `uri-parameters`: no blanks, no quotes, escapes well formed.
  init?(uri bytes: ArraySlice<UInt8>) {
    elements = []
    var cursor = Cursor(bytes)
    while !cursor.isAtEnd {
      guard cursor.skip(ASCII.semicolon), let name = cursor.takeEscaped(ASCII.isParameter), !name.isEmpty else {
        return nil
      }
      var value: String?
      if cursor.skip(ASCII.equals) {
        guard let taken = cursor.takeEscaped(ASCII.isParameter), !taken.isEmpty else { return nil }
        value = String(header: taken)
      }
      elements.append(Parameter(String(header: name), value))
    }
  }
}
