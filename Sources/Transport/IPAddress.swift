import Glibc

/// An address in text form, told from a name without asking anybody.
enum IPAddress: Hashable {
  /// In network byte order.
  case v4([UInt8])
  case v6([UInt8])

  /// Takes `192.0.2.1`, `2001:db8::1` and `[2001:db8::1]`. An IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) is
  /// the IPv4 address.
  init?(_ text: String) {
    var text = text[...]
    if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
    var bytes = [UInt8](repeating: 0, count: 16)
    if unsafe inet_pton(AF_INET, String(text), &bytes) == 1 {
      self = .v4(Array(bytes.prefix(4)))
    } else if unsafe inet_pton(AF_INET6, String(text), &bytes) == 1 {
      self.init(v6: bytes)
    } else {
      return nil
    }
  }

  init(v6 bytes: [UInt8]) {
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    self = bytes.starts(with: mapped) ? .v4(Array(bytes[12...])) : .v6(bytes)
  }

  /// The canonical text (RFC 5952).
  var text: String {
    let (family, bytes) =
      switch self {
      case .v4(let bytes): (AF_INET, bytes)
      case .v6(let bytes): (AF_INET6, bytes)
      }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
