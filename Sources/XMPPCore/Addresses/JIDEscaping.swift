/// XEP-0106: how characters that a localpart must not hold are written in one. RFC 7247 §6.4 asks it of a gateway
/// for `& ' /`; a SIP user part can, percent-decoded, hold the others too.
package enum JIDEscaping {
  /// A localpart for a user's real name; nil if no localpart can stand for it (empty, or a space at an end).
  package static func escaped(_ user: String) -> String? {
    let bytes = Array(user.utf8)
    guard let first = bytes.first, let last = bytes.last else { return nil }
    // XEP-0106 §4: \20 is neither the first nor the last of a localpart.
    guard first != UInt8(ascii: " "), last != UInt8(ascii: " ") else { return nil }
    guard bytes.contains(where: { code(for: $0) != nil }) else { return user }
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count + 8)
    for (index, byte) in bytes.enumerated() {
      // A backslash is escaped only where it would otherwise be read as the start of an escape.
      if let code = code(for: byte), byte != backslash || unescapedByte(bytes, at: index) != nil {
        output.append(backslash)
        output.append(contentsOf: code.utf8)
      } else {
        output.append(byte)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// The user's real name that a localpart stands for.
  package static func unescaped(_ local: String) -> String {
    guard local.utf8.contains(backslash) else { return local }
    let bytes = Array(local.utf8)
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if let byte = unescapedByte(bytes, at: index) {
        // No escape of a conforming sender (XEP-0106 §4): left as it stands.
        let isEnd = index == 0 || index + 3 == bytes.count
        if byte != UInt8(ascii: " ") || !isEnd {
          output.append(byte)
          index += 3
          continue
        }
      }
      output.append(bytes[index])
      index += 1
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static let backslash = UInt8(ascii: "\\")

  private static func code(for byte: UInt8) -> String? {
    switch byte {
    case UInt8(ascii: " "): "20"
    case UInt8(ascii: "\""): "22"
    case UInt8(ascii: "&"): "26"
    case UInt8(ascii: "'"): "27"
    case UInt8(ascii: "/"): "2f"
    case UInt8(ascii: ":"): "3a"
    case UInt8(ascii: "<"): "3c"
    case UInt8(ascii: ">"): "3e"
    case UInt8(ascii: "@"): "40"
    case backslash: "5c"
    default: nil
    }
  }

  /// The byte that the escape at `index` stands for. Case is significant (XEP-0106 §3), but localparts are folded to
  /// lower case before they get here.
  private static func unescapedByte(_ bytes: [UInt8], at index: Int) -> UInt8? {
    guard bytes[index] == backslash, index + 2 < bytes.count else { return nil }
    switch (bytes[index + 1], bytes[index + 2]) {
    case (UInt8(ascii: "2"), UInt8(ascii: "0")): return UInt8(ascii: " ")
    case (UInt8(ascii: "2"), UInt8(ascii: "2")): return UInt8(ascii: "\"")
    case (UInt8(ascii: "2"), UInt8(ascii: "6")): return UInt8(ascii: "&")
    case (UInt8(ascii: "2"), UInt8(ascii: "7")): return UInt8(ascii: "'")
    case (UInt8(ascii: "2"), UInt8(ascii: "f")): return UInt8(ascii: "/")
    case (UInt8(ascii: "3"), UInt8(ascii: "a")): return UInt8(ascii: ":")
    case (UInt8(ascii: "3"), UInt8(ascii: "c")): return UInt8(ascii: "<")
    case (UInt8(ascii: "3"), UInt8(ascii: "e")): return UInt8(ascii: ">")
    case (UInt8(ascii: "4"), UInt8(ascii: "0")): return UInt8(ascii: "@")
    case (UInt8(ascii: "5"), UInt8(ascii: "c")): return backslash
    default: return nil
    }
  }
}
