/// The header fields of a message: in order, unknown ones kept, values as they stood on the wire.
///
/// All text lives in one buffer and a field is a pair of ranges in it, so a message of a dozen fields costs two
/// allocations to parse, and a field that nobody asks for is never looked at again.
package struct SIPHeaders: Sendable {
  struct Field: Sendable {
    var name: HeaderName
    var nameStart: Int32
    var nameEnd: Int32
    var valueStart: Int32
    var valueEnd: Int32
  }

  private var text: [UInt8]
  private var fields: [Field]

  package init() {
    text = []
    fields = []
    text.reserveCapacity(512)
    fields.reserveCapacity(12)
  }

  init(text: [UInt8], fields: [Field]) {
    self.text = text
    self.fields = fields
  }

  package var count: Int { fields.count }

  // MARK: Reading

  package func contains(_ name: HeaderName) -> Bool { fields.contains { $0.name == name } }

  package func count(of name: HeaderName) -> Int { fields.count { $0.name == name } }

  /// The value of the first field of that name, without blanks around it.
  package func first(_ name: HeaderName) -> ArraySlice<UInt8>? {
    for field in fields where field.name == name { return value(field) }
    return nil
  }

  package func string(_ name: HeaderName) -> String? { first(name).map { String(header: $0) } }

  /// The values of all fields of that name, in order.
  package func all(_ name: HeaderName) -> [ArraySlice<UInt8>] {
    fields.filter { $0.name == name }.map(value)
  }

  /// The elements of a comma-separated field that may also be given on several lines (RFC 3261 §7.3.1), in order.
  package func list(_ name: HeaderName) -> [ArraySlice<UInt8>] {
    var elements: [ArraySlice<UInt8>] = []
    for field in fields where field.name == name { CommaList.split(value(field), into: &elements) }
    return elements
  }

  package func strings(_ name: HeaderName) -> [String] { list(name).map { String(header: $0) } }

  /// The value of the first field with this spelling, known or not, in any case.
  package subscript(spelling: String) -> String? {
    let known = HeaderName(parsing: Array(spelling.utf8)[...])
    if known != .other { return string(known) }
    let lowered = spelling.asciiLowercased
    for field in fields where field.name == .other {
      if String(header: spelled(field)).asciiLowercased == lowered { return String(header: value(field)) }
    }
    return nil
  }

  /// Every field as spelled, for tests and tools.
  package var all: [(name: String, value: String)] {
    fields.map { (String(header: spelled($0)), String(header: value($0))) }
  }

  private func value(_ field: Field) -> ArraySlice<UInt8> { text[Int(field.valueStart)..<Int(field.valueEnd)] }

  private func spelled(_ field: Field) -> ArraySlice<UInt8> {
    if field.name != .other { return HeaderName.spellings[Int(field.name.rawValue)][...] }
    return text[Int(field.nameStart)..<Int(field.nameEnd)]
  }

  // MARK: Writing

  package mutating func append(_ name: HeaderName, _ value: String) {
    append(name, spelling: "", value: value.utf8)
  }

  package mutating func append(_ name: HeaderName, bytes: ArraySlice<UInt8>) {
    append(name, spelling: "", value: bytes)
  }

  /// A field this module has no name for. `spelling` is the caller's own, never a peer's.
  package mutating func append(other spelling: String, _ value: String) {
    append(HeaderName(parsing: Array(spelling.utf8)[...]), spelling: spelling, value: value.utf8)
  }

  /// In front of all others, where Via belongs.
  package mutating func prepend(_ name: HeaderName, _ value: String) {
    append(name, value)
    fields.insert(fields.removeLast(), at: 0)
  }

  /// All fields of that name from another message, byte for byte.
  package mutating func copy(_ name: HeaderName, from other: SIPHeaders) {
    for field in other.fields where field.name == name {
      let start = text.count
      text.append(contentsOf: other.value(field))
      fields.append(
        Field(
          name: name, nameStart: Int32(start), nameEnd: Int32(start), valueStart: Int32(start),
          valueEnd: Int32(text.count)))
    }
  }

  package mutating func remove(_ name: HeaderName) { fields.removeAll { $0.name == name } }

  /// Puts `value` in the place of the first field of that name, or at the end where there is none.
  package mutating func replace(_ name: HeaderName, _ value: String) {
    append(name, value)
    let appended = fields.removeLast()
    if let index = fields.firstIndex(where: { $0.name == name }) {
      fields[index] = appended
    } else {
      fields.append(appended)
    }
  }

  /// Values come from peers and from the other network: a control character in one must not become a line of its own.
  private mutating func append(_ name: HeaderName, spelling: String, value: some Collection<UInt8>) {
    let nameStart = text.count
    if name == .other { text.append(contentsOf: spelling.utf8) }
    let valueStart = text.count
    for byte in value { text.append(byte < 0x20 && byte != ASCII.tab || byte == 0x7F ? ASCII.space : byte) }
    fields.append(
      Field(
        name: name, nameStart: Int32(nameStart), nameEnd: Int32(valueStart), valueStart: Int32(valueStart),
        valueEnd: Int32(text.count)))
  }

  /// Appends all lines but Content-Length, which belongs to the framing.
  func write(to bytes: inout [UInt8]) {
    for field in fields where field.name != .contentLength {
      bytes.append(contentsOf: spelled(field))
      bytes.append(ASCII.colon)
      bytes.append(ASCII.space)
      bytes.append(contentsOf: value(field))
      bytes.append(ASCII.cr)
      bytes.append(ASCII.lf)
    }
  }
}

/// `element *(COMMA element)`, where quoted strings and `<…>` hold commas that separate nothing.
package enum CommaList {
  package static func split(_ bytes: ArraySlice<UInt8>, into elements: inout [ArraySlice<UInt8>]) {
    var start = bytes.startIndex
    var index = start
    var quoted = false
    var bracketed = false
    while index < bytes.endIndex {
      switch bytes[index] {
      case ASCII.backslash where quoted: index += 1
      case ASCII.quote where !bracketed: quoted.toggle()
      case ASCII.less where !quoted: bracketed = true
      case ASCII.greater where !quoted: bracketed = false
      case ASCII.comma where !quoted && !bracketed:
        append(bytes[start..<index], to: &elements)
        start = index + 1
      default: break
      }
      index += 1
    }
    append(bytes[start..<bytes.endIndex], to: &elements)
  }

  private static func append(_ element: ArraySlice<UInt8>, to elements: inout [ArraySlice<UInt8>]) {
    let trimmed = ASCII.trimmed(element)
    if !trimmed.isEmpty { elements.append(trimmed) }
  }
}
