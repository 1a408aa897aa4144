import Transport

/// Tags, branches and ids that nobody can guess (RFC 3261 §19.3).
struct Tokens {
  private let secret: [UInt8]
  private var counter: UInt64 = 0

  /// The same seed gives the same tokens: only tests want that.
  init(seed: [UInt8]) { secret = seed }

  /// 64 bits in hexadecimal.
  mutating func next() -> String {
    counter += 1
    return Self.hex(digest(counter)[..<8])
  }

  /// 0 ..< bound
  mutating func random(below bound: Int64) -> Int64 {
    counter += 1
    let value = digest(counter)[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int64(value % UInt64(max(bound, 1)))
  }

  private func digest(_ counter: UInt64) -> [UInt8] {
    var input = secret
    for shift in stride(from: 56, through: 0, by: -8) {
      input.append(UInt8(truncatingIfNeeded: counter >> UInt64(shift)))
    }
    return Crypto.sha256(input)
  }

  static func hex(_ bytes: ArraySlice<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      for nibble in [byte >> 4, byte & 15] { text.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
