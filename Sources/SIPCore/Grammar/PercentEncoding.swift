/// `escaped = "%" HEXDIG HEXDIG` of RFC 3261 §25.1.
package enum PercentEncoding {
  /// The octets that `text` stands for; `nil` where a `%` is not followed by two hexadecimal digits.
  package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var octets: [UInt8] = []
    octets.reserveCapacity(text.count)
    var rest = text.makeIterator()
    while let byte = rest.next() {
      guard byte == ASCII.percent else {
        octets.append(byte)
        continue
      }
      guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue) else { return nil }
      octets.append(high << 4 | low)
    }
    return octets
  }

  /// The characters that `text` stands for; `nil` where the escapes are malformed or the octets are not UTF-8.
  package static func decodeText(_ text: String) -> String? {
    guard text.utf8.contains(ASCII.percent) else { return text }
    return decode(text.utf8).flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// For the user part of a `sip:` URI. What RFC 3261 allows there stays as it is, the rest is escaped: the list of
  /// RFC 7247 §6.5 and every byte outside ASCII.
  package static func encodeUser(_ text: String) -> String { encode(text, keeping: ASCII.isUser) }

  /// For the value of a URI parameter.
  package static func encodeParameter(_ text: String) -> String { encode(text, keeping: ASCII.isParameter) }

  private static func encode(_ text: String, keeping allowed: (UInt8) -> Bool) -> String {
    if text.utf8.allSatisfy(allowed) { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 2)
    for byte in text.utf8 {
      if allowed(byte) {
        bytes.append(byte)
      } else {
        bytes.append(ASCII.percent)
        bytes.append(hexDigit(byte >> 4))
        bytes.append(hexDigit(byte & 15))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    if ASCII.isDigit(byte) { return byte - 0x30 }
    return ASCII.isHex(byte) ? (byte | 0x20) - 0x57 : nil
  }
}
