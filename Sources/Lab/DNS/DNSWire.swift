/// A record of the lab's zone. TTLs are one second: the lab changes its mind often.
package enum DNSRecord: Hashable, Sendable {
  case a(String)
  case aaaa([UInt8])
  case srv(priority: Int, weight: Int, port: Int, target: String)
  case cname(String)

  var type: Int {
    switch self {
    case .a: 1
    case .cname: 5
    case .aaaa: 28
    case .srv: 33
    }
  }

  var data: [UInt8] {
    switch self {
    case .a(let address): address.split(separator: ".").compactMap { UInt8($0) }
    case .aaaa(let bytes): bytes
    case .cname(let name): DNSWire.encode(name: name)
    case .srv(let priority, let weight, let port, let target):
      [priority, weight, port].flatMap(DNSWire.encode16) + DNSWire.encode(name: target)
    }
  }
}

/// The little of RFC 1035 §4 that an authoritative answer needs.
enum DNSWire {
  struct Query {
    let id: [UInt8]
    let flags: UInt8
    let name: String
    let type: Int
    /// The question section as it came; names in it keep their case (some resolvers check it).
    let question: [UInt8]
  }

  static func encode16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }

  static func encode(name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  /// The one question of a query; nil where the bytes are none.
  static func parse(_ bytes: [UInt8]) -> Query? {
    guard bytes.count >= 17, bytes[2] & 0x80 == 0, bytes[4] == 0, bytes[5] == 1 else { return nil }
    var labels: [String] = []
    var index = 12
    while index < bytes.count, bytes[index] != 0 {
      let length = Int(bytes[index])
      guard length < 64, index + 1 + length < bytes.count else { return nil }
      labels.append(String(decoding: bytes[index + 1..<index + 1 + length], as: UTF8.self))
      index += 1 + length
    }
    guard index + 5 <= bytes.count else { return nil }
    return Query(
      id: Array(bytes[0..<2]), flags: bytes[2], name: labels.joined(separator: ".").lowercased(),
      type: Int(bytes[index + 1]) << 8 | Int(bytes[index + 2]), question: Array(bytes[12..<index + 5]))
  }

  /// - Parameter soa: whether to say how long the absence may be remembered (RFC 2308 §3).
  static func answer(_ query: Query, code: UInt8, records: [DNSRecord], soa: Bool) -> [UInt8] {
    // QR, AA, the query's RD; RA, because stub resolvers expect to talk to a recursive server.
    var bytes = query.id + [0x84 | query.flags & 0x01, 0x80 | code]
    bytes += encode16(1) + encode16(records.count) + encode16(soa ? 1 : 0) + encode16(0) + query.question
    for record in records {
      let data = record.data
      bytes += [0xc0, 12] + encode16(record.type) + encode16(1) + [0, 0, 0, 1] + encode16(data.count) + data
    }
    if soa {
      let zone = encode(name: query.name.split(separator: ".").last.map(String.init) ?? "")
      let data =
        encode(name: "ns.test") + encode(name: "lab.test") + Array(repeating: [0, 0, 0, 1], count: 5).flatMap { $0 }
      bytes += zone + encode16(6) + encode16(1) + [0, 0, 0, 1] + encode16(data.count) + data
    }
    return bytes
  }
}
