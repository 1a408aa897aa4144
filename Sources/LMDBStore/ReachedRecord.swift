import BrokerCore

/// The form of "this destination answered then" on disk: the adapter's name with its length before it, then the
/// domain → milliseconds since 1970, 8 bytes big-endian.
enum ReachedRecord {
  /// LMDB's limit for keys (`mdb_env_get_maxkeysize`), as Debian and everybody else compiles it.
  static let maximumKeySize = 511

  /// nil for names too long to be a key: longer than any domain of the DNS (RFC 1035 §2.3.4: 255 bytes).
  static func key(_ destination: Destination) -> [UInt8]? {
    let adapter = Array(destination.adapter.name.utf8)
    guard adapter.count <= 255 else { return nil }
    let key = [UInt8(adapter.count)] + adapter + Array(destination.domain.utf8)
    return key.count <= maximumKeySize ? key : nil
  }

  static func value(_ time: Timestamp) -> [UInt8] { time.milliseconds.bigEndianBytes }

  static func decode(key: [UInt8], value: [UInt8]) -> (Destination, Timestamp)? {
    guard let length = key.first, key.count > Int(length),
      let adapter = String(validating: key[1...Int(length)], as: UTF8.self),
      let domain = String(validating: key[(Int(length) + 1)...], as: UTF8.self),
      let milliseconds = Int64(bigEndianBytes: value)
    else { return nil }
    return (Destination(adapter: AdapterID(adapter), domain: domain), Timestamp(milliseconds: milliseconds))
  }
}
