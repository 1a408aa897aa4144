/// RFC 7622 §3.4: the resourcepart is an instance of the PRECIS profile OpaqueString (RFC 8265 §4.2): case is kept.
enum Resourcepart {
  static func prepared(_ text: String) -> String? {
    guard !text.isEmpty, text.utf8.count <= JID.maximumPartLength else { return nil }
    for byte in text.utf8 {
      switch byte {
      case ..<0x20, 0x7F: return nil
      case 0x80...: return preparedUnicode(text)
      default: break
      }
    }
    return text
  }

  private static func preparedUnicode(_ text: String) -> String? {
    var mapped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar.properties.generalCategory == .spaceSeparator {
        mapped.append(" ")
      } else {
        guard UnicodeText.isFreeform(scalar) else { return nil }
        mapped.append(scalar)
      }
    }
    let prepared = String(UnicodeText.composed(String(mapped)))
    return prepared.utf8.count <= JID.maximumPartLength ? prepared : nil
  }
}
