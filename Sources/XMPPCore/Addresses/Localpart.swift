/// RFC 7622 §3.3: the localpart is an instance of the PRECIS profile UsernameCaseMapped (RFC 8265 §3.3), less eight
/// characters. Not done for want of tables: the bidi rule and the compatibility characters outside the half- and
/// full-width block; both only widen what is accepted, and the partner's own server has the last word on its names.
enum Localpart {
  static func prepared(_ text: String) -> String? {
    guard text.utf8.count <= JID.maximumPartLength else { return nil }
    var mapped = false
    for byte in text.utf8 {
      switch byte {
      case 0x80...: return preparedUnicode(text)
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): mapped = true
      default: if !isPermitted(byte) { return nil }
      }
    }
    return mapped ? text.lowercased() : text
  }

  /// RFC 7622 §3.3.1; RFC 8264 §9.11: ASCII without space and controls.
  private static func isPermitted(_ byte: UInt8) -> Bool {
    switch byte {
    case ...0x20, 0x7F: false
    case UInt8(ascii: "\""), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "/"), UInt8(ascii: ":"),
      UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"):
      false
    default: true
    }
  }

  private static func preparedUnicode(_ text: String) -> String? {
    // RFC 8265 §3.3: width, case, normalisation, in this order.
    let scalars = UnicodeText.composed(UnicodeText.narrowed(text).lowercased())
    for scalar in scalars {
      if scalar.isASCII {
        guard isPermitted(UInt8(truncatingIfNeeded: scalar.value)) else { return nil }
      } else {
        guard UnicodeText.isLetterOrDigit(scalar) else { return nil }
      }
    }
    let prepared = String(scalars)
    return prepared.utf8.count <= JID.maximumPartLength ? prepared : nil
  }
}
