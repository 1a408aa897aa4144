import BrokerCore

/// Why a record could not be read.
enum RecordError: Error, Hashable, CustomStringConvertible {
  case truncated
  case trailingBytes
  case checksum
  case unknownVersion(UInt8)
  case invalid(String)

  var description: String {
    switch self {
    case .truncated: "it ends too early"
    case .trailingBytes: "it is longer than its content"
    case .checksum: "its checksum is wrong"
    case .unknownVersion(let version): "its version \(version) is unknown"
    case .invalid(let field): "its \(field) is not valid"
    }
  }
}

struct RecordWriter {
  private(set) var bytes: [UInt8]

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func time(_ value: Timestamp) {
    let bits = UInt64(bitPattern: value.milliseconds)
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift))) }
  }

  mutating func length(_ value: Int) {
    var rest = UInt64(value)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func text(_ value: String) {
    length(value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }

  mutating func optionalText(_ value: String?) {
    guard let value else { return byte(0) }
    length(value.utf8.count + 1)
    bytes.append(contentsOf: value.utf8)
  }

  mutating func address(_ value: Address) {
    text(value.user)
    text(value.domain)
    optionalText(value.endpoint)
  }

  mutating func checksum() {
    let value = Checksum.crc32(bytes[...])
    for shift in stride(from: 24, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
    }
  }
}

/// Reads what `RecordWriter` wrote, never past the end.
struct RecordReader {
  private var rest: ArraySlice<UInt8>

  /// Checks the checksum at the end and takes it off.
  init(checked record: [UInt8]) throws(RecordError) {
    guard record.count >= 4 else { throw .truncated }
    let content = record.dropLast(4)
    guard UInt32(bigEndianBytes: Array(record.suffix(4))) == Checksum.crc32(content) else { throw .checksum }
    rest = content
  }

  func finish() throws(RecordError) {
    if !rest.isEmpty { throw .trailingBytes }
  }

  mutating func byte() throws(RecordError) -> UInt8 {
    guard let value = rest.popFirst() else { throw .truncated }
    return value
  }

  mutating func time() throws(RecordError) -> Timestamp {
    guard let bits = UInt64(bigEndianBytes: Array(try take(8))) else { throw .truncated }
    return Timestamp(milliseconds: Int64(bitPattern: bits))
  }

  mutating func text() throws(RecordError) -> String {
    try text(count: try length())
  }

  mutating func optionalText() throws(RecordError) -> String? {
    let length = try length()
    return length == 0 ? nil : try text(count: length - 1)
  }

  mutating func address() throws(RecordError) -> Address {
    Address(user: try text(), domain: try text(), endpoint: try optionalText())
  }

  private mutating func length() throws(RecordError) -> Int {
    var value: UInt64 = 0
    for shift: UInt64 in stride(from: 0, to: 63, by: 7) {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return Int(value) }
    }
    throw .invalid("length")
  }

  private mutating func text(count: Int) throws(RecordError) -> String {
    guard let text = String(validating: try take(count), as: UTF8.self) else { throw .invalid("text") }
    return text
  }

  private mutating func take(_ count: Int) throws(RecordError) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw .truncated }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
