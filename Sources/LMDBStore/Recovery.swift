import BrokerCore
import Logging

/// What the file held when it was opened. A record that cannot be read is set aside, as it is, into the quarantine and
/// told of in the log: it neither stops the start nor vanishes.
enum Recovery {
  static func load(
    _ transaction: borrowing Transaction, idBlock: UInt64, logger: Logger
  ) throws(LMDBFailure) -> Recovered {
    let (entries, highest) = try loadEntries(transaction, logger)
    let reached = try loadReached(transaction, logger)
    let last = try IDReservation.load(transaction, inUse: highest)
    try IDReservation.store(last &+ idBlock, in: transaction)
    return Recovered(entries: entries, reached: reached, lastID: EntryID(rawValue: last))
  }

  /// The entries, and the largest id in use, that of an unreadable one included.
  private static func loadEntries(
    _ transaction: borrowing Transaction, _ logger: Logger
  ) throws(LMDBFailure) -> (entries: [Entry], highest: UInt64) {
    var entries: [Entry] = []
    var highest: UInt64 = 0
    var unreadable: [(key: [UInt8], value: [UInt8])] = []
    try transaction.forEach(\.entries) { key, value in
      guard let id = UInt64(bigEndianBytes: key) else {
        unreadable.append((key, value))
        logger.error("stored entry has no valid id: set aside", metadata: ["bytes": "\(value.count)"])
        return
      }
      highest = max(highest, id)
      do throws(RecordError) {
        entries.append(try EntryCodec.decode(value, id: EntryID(rawValue: id)))
      } catch {
        unreadable.append((key, value))
        logger.error(
          "stored entry cannot be read: set aside",
          metadata: ["entry": "\(id)", "problem": "\(error)", "bytes": "\(value.count)"])
      }
    }
    for (key, value) in unreadable {
      try transaction.put(\.quarantine, key: key, value: value)
      try transaction.delete(\.entries, key: key)
    }
    return (entries, highest)
  }

  private static func loadReached(
    _ transaction: borrowing Transaction, _ logger: Logger
  ) throws(LMDBFailure) -> [Destination: Timestamp] {
    var reached: [Destination: Timestamp] = [:]
    var unreadable: [(key: [UInt8], value: [UInt8])] = []
    try transaction.forEach(\.reached) { key, value in
      if let (destination, time) = ReachedRecord.decode(key: key, value: value) {
        reached[destination] = time
      } else {
        unreadable.append((key, value))
        logger.error("stored time of a destination cannot be read: set aside")
      }
    }
    for (key, value) in unreadable {
      try transaction.put(\.quarantine, key: key, value: value)
      try transaction.delete(\.reached, key: key)
    }
    return reached
  }
}
