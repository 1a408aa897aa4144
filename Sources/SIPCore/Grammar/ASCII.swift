/// Character classes of RFC 3261 §25.1, as tests on single bytes.
enum ASCII {
  static let tab: UInt8 = 0x09
  static let lf: UInt8 = 0x0A
  static let cr: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let quote: UInt8 = 0x22
  static let percent: UInt8 = 0x25
  static let comma: UInt8 = 0x2C
  static let slash: UInt8 = 0x2F
  static let colon: UInt8 = 0x3A
  static let semicolon: UInt8 = 0x3B
  static let less: UInt8 = 0x3C
  static let equals: UInt8 = 0x3D
  static let greater: UInt8 = 0x3E
  static let question: UInt8 = 0x3F
  static let at: UInt8 = 0x40
  static let openBracket: UInt8 = 0x5B
  static let backslash: UInt8 = 0x5C
  static let closeBracket: UInt8 = 0x5D

  @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  @inline(__always) static func isAlpha(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  @inline(__always) static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isAlpha(byte) }
  @inline(__always) static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }
  @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
  @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  /// Letters and digits are in every class, so a class is its punctuation: a bit set over 0x20...0x5F and 0x60...0x7F.
  private struct Punctuation {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ characters: StaticString) {
      for index in 0..<characters.utf8CodeUnitCount {
        let byte = unsafe characters.utf8Start[index]
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
      }
    }

    @inline(__always) func contains(_ byte: UInt8) -> Bool {
      byte < 64 ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte - 64) & 1 == 1
    }
  }

  private static let tokenMarks = Punctuation("-.!%*_+`'~")
  private static let wordMarks = Punctuation("-.!%*_+`'~()<>:\\\"/[]?{}")
  private static let userMarks = Punctuation("-_.!~*'()&=+$,;?/")
  private static let passwordMarks = Punctuation("-_.!~*'()&=+$,")
  private static let parameterMarks = Punctuation("-_.!~*'()[]/:&+$")
  private static let headerMarks = Punctuation("-_.!~*'()[]/?:+$")

  /// `token`
  @inline(__always) static func isToken(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || tokenMarks.contains(byte) }
  /// `word`, what a Call-ID is made of
  static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || wordMarks.contains(byte) }
  /// `unreserved / user-unreserved`: may stand in the user part of a URI as it is
  static func isUser(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || userMarks.contains(byte) }
  static func isPassword(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || passwordMarks.contains(byte) }
  /// `paramchar` of a URI parameter
  static func isParameter(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || parameterMarks.contains(byte) }
  /// What may stand in the `?name=value` part of a URI
  static func isHeader(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || headerMarks.contains(byte) }

  /// `bytes`, without blanks at either end.
  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var start = bytes.startIndex
    var end = bytes.endIndex
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return bytes[start..<end]
  }

  static func equalsIgnoringCase(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    var index = 0
    for byte in bytes {
      if lowercased(byte) != lowercased(unsafe text.utf8Start[index]) { return false }
      index += 1
    }
    return true
  }

  /// An unsigned decimal number of digits only; `nil` where it is none or does not fit.
  static func number<N: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, as type: N.Type = N.self) -> N? {
    guard !bytes.isEmpty else { return nil }
    var value: N = 0
    for byte in bytes {
      guard isDigit(byte) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(N(byte &- 0x30))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }
}

extension String {
  /// Header text: bytes that are not UTF-8 become U+FFFD (RFC 3261 §7.3.1 text is UTF-8).
  init(header bytes: ArraySlice<UInt8>) { self.init(decoding: bytes, as: UTF8.self) }

  /// ASCII letters in lower case, everything else as it is.
  package var asciiLowercased: String {
    guard utf8.contains(where: { $0 &- 0x41 < 26 }) else { return self }
    return String(decoding: utf8.map(ASCII.lowercased), as: UTF8.self)
  }
}
