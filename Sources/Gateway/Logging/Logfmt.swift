/// One line of `key=value` pairs. Values that hold anything but plain characters are quoted and escaped, so that
/// nothing a peer sends can begin a line or forge a field.
struct Logfmt {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ key: String, _ value: String) {
    if !bytes.isEmpty { bytes.append(0x20) }
    bytes += key.utf8
    bytes.append(0x3D)
    if !value.isEmpty, value.utf8.allSatisfy(Self.isPlain) {
      bytes += value.utf8
    } else {
      quote(value)
    }
  }

  mutating func end() { bytes.append(0x0A) }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x3D && byte != 0x5C
  }

  private mutating func quote(_ value: String) {
    bytes.append(0x22)
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": bytes += "\\\"".utf8
      case "\\": bytes += "\\\\".utf8
      case "\n": bytes += "\\n".utf8
      case "\r": bytes += "\\r".utf8
      case "\t": bytes += "\\t".utf8
      default:
        switch scalar.properties.generalCategory {
        // Control and format characters, bidirectional overrides among them, and line separators: a terminal may act on them.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
          bytes += "\\u{\(String(scalar.value, radix: 16))}".utf8
        default: bytes += String(scalar).utf8
        }
      }
    }
    bytes.append(0x22)
  }
}
