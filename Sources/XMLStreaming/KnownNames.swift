/// The names that federation is made of, as ready-made strings: a stanza of known names costs no allocation for them,
/// and nothing a peer sends is ever added.
///
/// The table is keyed by the bytes as Expat reports them: `namespace`, separator, `local`; or `local` alone.
final class KnownNames: Sendable {
  static let shared = KnownNames()

  private static let slotCount = 2048

  /// Index into `entries` plus one, 0 for an empty slot; open addressing, never more than a fifth full.
  private let slots: [UInt16]
  private let entries: [(bytes: [UInt8], name: XMLName)]
  private let namespaces: [String]

  private init() {
    var slots = [UInt16](repeating: 0, count: Self.slotCount)
    var entries: [(bytes: [UInt8], name: XMLName)] = []
    for name in Self.catalogue {
      let bytes =
        name.namespace.isEmpty
        ? Array(name.local.utf8) : Array(name.namespace.utf8) + [Self.separator] + Array(name.local.utf8)
      var slot = unsafe bytes.withUnsafeBufferPointer { unsafe Self.slot($0) }
      while slots[slot] != 0 { slot = (slot + 1) % Self.slotCount }
      entries.append((bytes, name))
      slots[slot] = UInt16(entries.count)
    }
    self.slots = slots
    self.entries = entries
    self.namespaces = Array(Set(Self.catalogue.map(\.namespace)).subtracting([""])).sorted()
  }

  /// Cannot occur in well-formed XML, not even as a character reference (XML 1.0 §2.2), so no name can forge it.
  static let separator: UInt8 = 0x01

  func lookup(_ bytes: UnsafeBufferPointer<UInt8>) -> XMLName? {
    guard bytes.count > 0 else { return nil }
    var slot = unsafe Self.slot(bytes)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if unsafe Self.equal(entries[index].bytes, bytes) { return entries[index].name }
      slot = (slot + 1) % Self.slotCount
    }
    return nil
  }

  /// A namespace as a shared string, where it is known.
  func namespace(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    return namespaces.first { $0 == text } ?? text
  }

  private static func equal(_ known: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard known.count == bytes.count else { return false }
    // From the end: names differ there first, namespaces share their beginnings.
    var index = known.count - 1
    while index >= 0 {
      if unsafe known[index] != bytes[index] { return false }
      index -= 1
    }
    return true
  }

  /// Length, the last eight bytes and one from the middle tell the known names apart well enough.
  private static func slot(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let count = bytes.count
    var word = UInt64(truncatingIfNeeded: count)
    var index = max(0, count - 8)
    while index < count {
      word = unsafe (word << 8 | word >> 56) ^ UInt64(bytes[index])
      index += 1
    }
    word = unsafe word ^ (UInt64(bytes[count / 2]) << 32) ^ UInt64(truncatingIfNeeded: count) << 17
    return Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> 53)
  }
}
