/// A place in a header field's value, for the parsers of this module.
struct Cursor {
  private let bytes: ArraySlice<UInt8>
  private(set) var index: Int
  private let end: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
    end = bytes.endIndex
  }

  var isAtEnd: Bool { index == end }
  var peek: UInt8? { index < end ? bytes[index] : nil }
  var rest: ArraySlice<UInt8> { bytes[index..<end] }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard index < end, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  mutating func skipBlanks() {
    while index < end, ASCII.isBlank(bytes[index]) { index += 1 }
  }

  mutating func take(while belongs: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = index
    while index < end, belongs(bytes[index]) { index += 1 }
    return bytes[start..<index]
  }

  /// As `take`, with `%hh` allowed; `nil` where an escape is malformed.
  mutating func takeEscaped(_ belongs: (UInt8) -> Bool) -> ArraySlice<UInt8>? {
    let start = index
    while index < end {
      if bytes[index] == ASCII.percent {
        guard end - index > 2, ASCII.isHex(bytes[index + 1]), ASCII.isHex(bytes[index + 2]) else { return nil }
        index += 3
      } else if belongs(bytes[index]) {
        index += 1
      } else {
        break
      }
    }
    return bytes[start..<index]
  }

  /// A quoted string with its quotes; `nil` where it does not end.
  mutating func takeQuoted() -> ArraySlice<UInt8>? {
    let start = index
    guard skip(ASCII.quote) else { return nil }
    while index < end {
      switch bytes[index] {
      case ASCII.backslash: index += 2
      case ASCII.quote:
        index += 1
        return bytes[start..<index]
      default: index += 1
      }
    }
    index = end
    return nil
  }
}

/// `quoted-string` of RFC 3261 §25.1.
enum QuotedString {
  /// The content of a quoted string given with its quotes.
  static func unquote(_ bytes: ArraySlice<UInt8>) -> String {
    var content: [UInt8] = []
    var escaped = false
    for byte in bytes.dropFirst().dropLast() {
      if !escaped, byte == ASCII.backslash {
        escaped = true
      } else {
        content.append(byte)
        escaped = false
      }
    }
    return String(decoding: content, as: UTF8.self)
  }

  /// `text` in quotes. Control characters, which could end a line, become spaces.
  static func quote(_ text: String) -> String {
    var bytes: [UInt8] = [ASCII.quote]
    for byte in text.utf8 {
      if byte == ASCII.quote || byte == ASCII.backslash { bytes.append(ASCII.backslash) }
      bytes.append(byte < 0x20 || byte == 0x7F ? ASCII.space : byte)
    }
    bytes.append(ASCII.quote)
    return String(decoding: bytes, as: UTF8.self)
  }
}
