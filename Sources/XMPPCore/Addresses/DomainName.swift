/// Domain names as this gateway compares them: lower case, no trailing dot, internationalised labels as A-labels.
package enum DomainName {
  /// RFC 1035 §2.3.4; the trailing dot does not count.
  package static let maximumLength = 253
  package static let maximumLabelLength = 63

  /// The form to store, compare and send; nil if the text is no domain name a federation partner could have.
  ///
  /// RFC 7622 §3.2: case is folded, a trailing dot removed, full-width dots are dots. Peers may write U-labels, so
  /// every label that is not ASCII becomes its A-label: names that a homograph makes look equal then differ.
  /// Address literals are no domains here: a partner is a name that a certificate can carry.
  package static func normalised(_ text: String) -> String? {
    // Most names are in that form already, and this is asked several times for each stanza.
    isNormalised(text) ? text : rewritten(text)
  }

  /// Whether the text is a name in lower-case ASCII without a trailing dot.
  private static func isNormalised(_ text: String) -> Bool {
    var length = 0
    var labelLength = 0
    var last = UInt8(ascii: ".")
    for byte in text.utf8 {
      length += 1
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        labelLength += 1
      case UInt8(ascii: "-"):
        guard labelLength > 0 else { return false }
        labelLength += 1
      case UInt8(ascii: "."):
        guard labelLength > 0, last != UInt8(ascii: "-") else { return false }
        labelLength = 0
      default: return false
      }
      guard labelLength <= maximumLabelLength else { return false }
      last = byte
    }
    return length <= maximumLength && labelLength > 0 && last != UInt8(ascii: "-")
  }

  private static func rewritten(_ text: String) -> String? {
    var name: [UInt8] = []
    name.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(byte | 0x20)
      case 0x80...: return internationalised(text)
      default: name.append(byte)
      }
    }
    return checked(name)
  }

  /// An underscore is no host name character, yet lab and private names use it: it is let through.
  private static func checked(_ bytes: [UInt8]) -> String? {
    let name = String(decoding: bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    return isNormalised(name) ? name : nil
  }

  /// RFC 5895 §2 (case and width mapping, NFC, ideographic full stops), then RFC 5891 §4.4 (A-label).
  private static func internationalised(_ text: String) -> String? {
    // No domain of more scalars than this fits into 253 bytes of A-labels.
    guard text.utf8.count <= maximumLength * 4 else { return nil }
    var labels: [[Unicode.Scalar]] = [[]]
    for scalar in UnicodeText.composed(UnicodeText.narrowed(text).lowercased()) {
      switch scalar {
      case ".", "\u{3002}", "\u{FF0E}", "\u{FF61}": labels.append([])
      default: labels[labels.count - 1].append(scalar)
      }
    }
    var name: [UInt8] = []
    for (index, label) in labels.enumerated() {
      if index > 0 { name.append(UInt8(ascii: ".")) }
      guard let ascii = aLabel(label) else { return nil }
      name += ascii
    }
    return checked(name)
  }

  /// The form that goes onto the wire: RFC 7622 §3.2.1 wants U-labels, and that is what servers compare with. Labels that
  /// are no proper A-labels stay.
  package static func onTheWire(_ name: String) -> String {
    guard name.hasPrefix(aLabelPrefix) || name.contains("." + aLabelPrefix) else { return name }
    return name.split(separator: ".").map(uLabel).joined(separator: ".")
  }

  private static let aLabelPrefix = "xn--"

  private static func uLabel(_ label: Substring) -> String {
    guard label.hasPrefix(aLabelPrefix), let decoded = Punycode.decode(label.utf8.dropFirst(aLabelPrefix.utf8.count))
    else { return String(label) }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: decoded)
    return normalised(String(text)) == String(label) ? String(text) : String(label)
  }

  private static func aLabel(_ label: [Unicode.Scalar]) -> [UInt8]? {
    if label.allSatisfy(\.isASCII) { return label.map { UInt8(truncatingIfNeeded: $0.value) } }
    // RFC 5891 §4.2.3: no leading combining mark, no hyphens in the third and fourth place.
    guard let first = label.first, !UnicodeText.isMark(first), label.allSatisfy(isPermitted),
      !(label.count >= 4 && label[2] == "-" && label[3] == "-"),
      let encoded = Punycode.encode(label)
    else { return nil }
    return Array(aLabelPrefix.utf8) + encoded
  }

  /// RFC 5892: letters, digits and marks; anything else (symbols, invisible characters, mixed-in punctuation) is
  /// no part of a name that we federate with.
  private static func isPermitted(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "-" || UnicodeText.isLetterOrDigit(scalar)
  }
}
