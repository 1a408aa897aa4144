/// The version of what is in the file, checked before anything is read or written.
///
/// A release that only adds (a database, a record version older releases never meet) raises `version` and leaves
/// `minimumReader`; one that older releases would misread raises both. So an update can be taken back for as long as
/// `minimumReader` allows.
enum Schema {
  static let version: UInt64 = 1
  static let minimumReader: UInt64 = 1

  private static let versionKey = Array("schema_version".utf8)
  private static let minimumReaderKey = Array("schema_min_reader".utf8)

  /// Refuses a file that this release cannot read, marks a new one.
  static func check(_ transaction: borrowing Transaction) throws(LMDBFailure) {
    guard let found = try number(versionKey, transaction) else {
      try mark(transaction, version: version, minimumReader: minimumReader)
      return
    }
    let needed = try number(minimumReaderKey, transaction) ?? found
    if needed > version { throw .newerSchema(version: found, minimumReader: needed) }
  }

  static func mark(
    _ transaction: borrowing Transaction, version: UInt64, minimumReader: UInt64
  ) throws(LMDBFailure) {
    try transaction.put(\.meta, key: versionKey, value: version.bigEndianBytes)
    try transaction.put(\.meta, key: minimumReaderKey, value: minimumReader.bigEndianBytes)
  }

  private static func number(
    _ key: [UInt8], _ transaction: borrowing Transaction
  ) throws(LMDBFailure) -> UInt64? {
    try transaction.get(\.meta, key: key).flatMap { UInt64(bigEndianBytes: $0) }
  }
}

/// Keeps ids from being used twice.
///
/// An id is given out before anything about it is on disk, and an entry that is delivered at once never gets there.
/// So the store reserves ids ahead: the number on disk is at least as large as any id given out, and a restart goes
/// on behind it. When less than half a block is left, the next is reserved; at 64 bits the waste does not matter.
struct IDReservation {
  /// The largest id that may be given out.
  private(set) var reserved: UInt64
  private(set) var highest: UInt64
  private let block: UInt64

  private static let key = Array("reserved_id".utf8)

  /// What a restart must take as the last id given out: the reservation, or a larger id found in use.
  static func load(_ transaction: borrowing Transaction, inUse: UInt64) throws(LMDBFailure) -> UInt64 {
    max(try transaction.get(\.meta, key: key).flatMap { UInt64(bigEndianBytes: $0) } ?? 0, inUse)
  }

  static func store(_ reserved: UInt64, in transaction: borrowing Transaction) throws(LMDBFailure) {
    try transaction.put(\.meta, key: key, value: reserved.bigEndianBytes)
  }

  init(last: UInt64, block: UInt64) {
    reserved = last
    highest = last
    self.block = block
  }

  /// The reservation to write next, nil while the present one lasts.
  var due: UInt64? {
    highest.addingReportingOverflow(block / 2).partialValue > reserved ? highest &+ block : nil
  }

  mutating func given(_ id: UInt64) { highest = max(highest, id) }
  mutating func written(_ reserved: UInt64) { self.reserved = max(self.reserved, reserved) }
}
