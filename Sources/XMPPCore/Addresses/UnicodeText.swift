// The standard library normalises for every String comparison but does not publish the result yet; this file is the
// only one to take it from there, so that no Unicode library is linked for the few names that are not ASCII.
@_spi(_Unicode) import Swift

/// What PRECIS and IDNA ask of Unicode.
enum UnicodeText {
  /// Normalisation form C.
  static func composed(_ text: String) -> String.UnicodeScalarView {
    var view = String.UnicodeScalarView()
    for scalar in text._nfc { view.append(scalar) }
    return view
  }

  /// RFC 8265 §3.3.1, width mapping: full-width ASCII to its ordinary form. Half-width letters are not mapped; they
  /// are compatibility characters and refused by the callers' category checks where they matter.
  static func narrowed(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { (0xFF01...0xFF5E).contains($0.value) }) else { return text }
    var view = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let narrow = (0xFF01...0xFF5E).contains(scalar.value) ? Unicode.Scalar(scalar.value - 0xFEE0) : nil
      view.append(narrow ?? scalar)
    }
    return String(view)
  }

  static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }

  /// RFC 8264 §9.1, LetterDigits, without what is invisible (§9.13) or a half- or full-width form (§9.17).
  static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .lowercaseLetter, .uppercaseLetter, .otherLetter, .decimalNumber, .modifierLetter, .nonspacingMark,
      .spacingMark:
      !scalar.properties.isDefaultIgnorableCodePoint && !(0xFF00...0xFFEF).contains(scalar.value)
        && !(0xFB00...0xFB06).contains(scalar.value)
    default: false
    }
  }

  /// RFC 8264 §4.3, FreeformClass: printable, assigned and visible.
  static func isFreeform(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    // U+200C and U+200D join emoji and letters (RFC 5892 appendix A.1, A.2).
    case .format: scalar.value == 0x200C || scalar.value == 0x200D || (0xE0020...0xE007F).contains(scalar.value)
    default: !scalar.properties.isNoncharacterCodePoint
    }
  }
}
