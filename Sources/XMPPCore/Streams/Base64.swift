/// RFC 4648 §4, as SASL uses it (RFC 6120 §6.4.2).
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func encode(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var output: [UInt8] = []
    output.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        let value = Int(bits >> UInt32(18 - 6 * place) & 63)
        output.append(place <= group.count ? alphabet[value] : UInt8(ascii: "="))
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// nil unless it is Base64, padded, without line breaks, of UTF-8 text.
  package static func decode(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    guard bytes.count % 4 == 0 else { return nil }
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count / 4 * 3)
    for start in stride(from: 0, to: bytes.count, by: 4) {
      var group = bytes[start..<start + 4]
      while group.last == UInt8(ascii: "="), start + 4 == bytes.count, group.count > 2 { group.removeLast() }
      var bits: UInt32 = 0
      for byte in group {
        guard let value = value(of: byte) else { return nil }
        bits = bits << 6 | value
      }
      bits <<= UInt32(6 * (4 - group.count))
      for place in 0..<(group.count - 1) { output.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place))) }
    }
    return String(validating: output, as: UTF8.self)
  }

  private static func value(of byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
