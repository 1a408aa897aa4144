/// An SRV record (RFC 2782).
struct ServiceRecord: Hashable {
  var priority: UInt16
  var weight: UInt16
  var port: UInt16
  /// In lower case without the final dot; empty for the root, which means "no such service".
  var target: String
  /// From a `_xmpps-server` or `_sips` record.
  var tls: Bool

  init(priority: UInt16, weight: UInt16, port: UInt16, target: String, tls: Bool) {
    self.priority = priority
    self.weight = weight
    self.port = port
    self.target = target
    self.tls = tls
  }

  /// - Parameter data: the record's RDATA, names uncompressed.
  init?(data: [UInt8], tls: Bool) {
    guard data.count >= 7, let target = DNSName.text(wire: data[6...]) else { return nil }
    func number(_ index: Int) -> UInt16 { UInt16(data[index]) << 8 | UInt16(data[index + 1]) }
    self.init(priority: number(0), weight: number(2), port: number(4), target: target, tls: tls)
  }

  /// In the order in which they are to be tried: by priority, at random among equals with the chances that their
  /// weights give (RFC 2782 "Weight").
  static func ordered(_ records: [ServiceRecord], using random: inout some RandomNumberGenerator) -> [ServiceRecord] {
    var ordered: [ServiceRecord] = []
    for priority in Set(records.map(\.priority)).sorted() {
      // Those of weight 0 first, so that they have a small chance at all.
      var left = records.filter { $0.priority == priority }.sorted { $0.weight == 0 && $1.weight != 0 }
      while !left.isEmpty {
        let total = left.reduce(0) { $0 + Int($1.weight) }
        var chosen = Int.random(in: 0...total, using: &random)
        let index = left.firstIndex { record in
          chosen -= Int(record.weight)
          return chosen <= 0
        }
        ordered.append(left.remove(at: index ?? 0))
      }
    }
    return ordered
  }
}

/// Domain names as the DNS has them.
enum DNSName {
  /// Longest text form without the final dot (RFC 1035 §2.3.4).
  static let maximumLength = 253

  /// Whether it can be asked for: ASCII (A-labels), letters, digits, `-` and `_`, labels of 1 to 63 octets.
  static func isValid(_ name: String) -> Bool {
    let octets = name.utf8
    guard !octets.isEmpty, octets.count <= maximumLength else { return false }
    return octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.count) && label.allSatisfy(isLegal)
    }
  }

  /// A name in wire form as text, in lower case, "" for the root. nil if it is malformed or holds octets that no host
  /// name has.
  static func text(wire: ArraySlice<UInt8>) -> String? {
    var text: [UInt8] = []
    var rest = wire
    while let length = rest.popFirst() {
      if length == 0 { return text.count <= maximumLength ? String(decoding: text, as: UTF8.self).lowercased() : nil }
      guard length <= 63, rest.count >= Int(length) else { return nil }
      let label = rest.prefix(Int(length))
      guard label.allSatisfy(isLegal) else { return nil }
      if !text.isEmpty { text.append(UInt8(ascii: ".")) }
      text += label
      rest = rest.dropFirst(Int(length))
    }
    return nil
  }

  private static func isLegal(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
