/// CRC-32 as in ISO 3309 and zlib. LMDB has no checksums of its own: this is what tells a flipped bit in a text from the
/// text.
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }

  static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      value = table[Int(truncatingIfNeeded: value ^ UInt32(byte)) & 0xFF] ^ value >> 8
    }
    return ~value
  }
}
