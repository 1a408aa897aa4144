/// Which characters and names XML 1.0 (fifth edition) and Namespaces in XML allow.
package enum XMLCharacter {
  /// `Char` (XML 1.0 §2.2).
  package static func isLegal(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
    default: false
    }
  }

  /// The same text with each character that XML cannot carry replaced by U+FFFD. Replaced, not dropped: the reader sees
  /// that something was there, and no two words grow together.
  package static func sanitized(_ text: String) -> String {
    // The fast path looks at the bytes only: nearly every text is legal.
    if !containsIllegal(text) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(isLegal(scalar) ? scalar : "\u{FFFD}") }
    return String(result)
  }

  static func containsIllegal(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var index = 0
      while index < bytes.count {
        let byte = unsafe bytes[index]
        if byte < 0x20 {
          if byte != 0x9 && byte != 0xA && byte != 0xD { return true }
        } else if byte == 0xEF, unsafe isNoncharacter(bytes, at: index) {
          return true
        }
        index += 1
      }
      return false
    }
  }

  /// U+FFFE and U+FFFF: EF BF BE, EF BF BF.
  static func isNoncharacter(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    unsafe index + 2 < bytes.count && bytes[index + 1] == 0xBF && bytes[index + 2] >= 0xBE
  }

  /// `NCName` (Namespaces in XML 1.0 §3).
  package static func isNCName(_ name: String) -> Bool {
    if isASCIIName(name) { return true }
    var first = true
    for scalar in name.unicodeScalars {
      if !(first ? isNameStart(scalar.value) : isNameCharacter(scalar.value)) { return false }
      first = false
    }
    return !first
  }

  private static func isASCIIName(_ name: String) -> Bool {
    var name = name
    return name.withUTF8 { bytes in
      for index in 0..<bytes.count {
        switch unsafe bytes[index] {
        case 0x41...0x5A, 0x5F, 0x61...0x7A: continue
        case 0x2D, 0x2E, 0x30...0x39: if index == 0 { return false }
        default: return false
        }
      }
      return bytes.count > 0
    }
  }

  /// `NameStartChar` without the colon.
  private static func isNameStart(_ value: UInt32) -> Bool {
    switch value {
    case 0x41...0x5A, 0x5F, 0x61...0x7A: true
    case 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D, 0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F,
      0x2C00...0x2FEF, 0x3001...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFFD, 0x10000...0xEFFFF:
      true
    default: false
    }
  }

  private static func isNameCharacter(_ value: UInt32) -> Bool {
    switch value {
    case 0x2D, 0x2E, 0x30...0x39, 0xB7, 0x300...0x36F, 0x203F...0x2040: true
    default: isNameStart(value)
    }
  }
}
