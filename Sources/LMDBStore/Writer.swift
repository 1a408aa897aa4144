import BrokerCore
import Logging

/// The writing side: takes batches from the queue, one transaction for each, and tells the broker. Lives on its own
/// thread, where it may wait for the disk.
struct Writer: ~Copyable {
  private let options: LMDBStoreOptions
  private let queue: WriteQueue
  private let logger: Logger
  private let onEvent: @Sendable (StoreEvent) -> Void
  private let observer: @Sendable (StoreCommit) -> Void
  private var environment: Environment
  /// Held for as long as the environment is.
  private let directory: StoreDirectory
  private var record: [UInt8] = []
  private var trouble: String?

  init(
    environment: consuming Environment, directory: consuming StoreDirectory, queue: WriteQueue,
    options: LMDBStoreOptions, logger: Logger, onEvent: @escaping @Sendable (StoreEvent) -> Void,
    observer: @escaping @Sendable (StoreCommit) -> Void
  ) {
    self.environment = environment
    self.directory = directory
    self.queue = queue
    self.options = options
    self.logger = logger
    self.onEvent = onEvent
    self.observer = observer
  }

  /// Until the queue is closed and empty.
  mutating func run() {
    while true {
      switch queue.turn() {
      case .write(let batch): write(batch)
      case .wait(let deadline): queue.wakeup.wait(until: deadline)
      case .end: return
      }
    }
  }

  private mutating func write(_ batch: PendingWrites.Batch) {
    if batch.isEmpty { return }
    do throws(LMDBFailure) {
      try commit(batch)
    } catch {
      error.isMapFull ? writeIntoFullMap(batch, error) : fail(batch, error)
    }
  }

  private mutating func commit(_ batch: PendingWrites.Batch) throws(LMDBFailure) {
    let start = ContinuousClock.now
    var record = record
    self.record = []
    defer { self.record = record }
    try environment.write { (transaction) throws(LMDBFailure) in
      for id in batch.removals { try transaction.delete(\.entries, key: id.rawValue.bigEndianBytes) }
      for entry in batch.entries {
        EntryCodec.encode(entry, into: &record)
        try transaction.put(\.entries, key: entry.id.rawValue.bigEndianBytes, value: record)
      }
      for (destination, time) in batch.reached {
        guard let key = ReachedRecord.key(destination) else { continue }
        try transaction.put(\.reached, key: key, value: ReachedRecord.value(time))
      }
      if let reservation = batch.reservation { try IDReservation.store(reservation, in: transaction) }
    }
    succeeded(batch, duration: .now - start)
  }

  private mutating func succeeded(_ batch: PendingWrites.Batch, duration: Duration) {
    if trouble != nil { logger.notice("store writes again") }
    trouble = nil
    if let reservation = batch.reservation { queue.reserved(reservation) }
    let usedBytes = environment.usedBytes
    queue.record { statistics in
      statistics.commits += 1
      statistics.written += batch.entries.count
      statistics.removed += batch.removals.count
      statistics.usedBytes = usedBytes
      statistics.trouble = nil
    }
    if !batch.entries.isEmpty { onEvent(.committed(batch.entries.map(\.id))) }
    observer(StoreCommit(duration: duration, entries: batch.entries.count, removals: batch.removals.count))
  }

  /// Removals go first, into room of their own, since they make room; then the entries get a second chance.
  private mutating func writeIntoFullMap(_ batch: PendingWrites.Batch, _ full: LMDBFailure) {
    var others = batch
    others.entries = []
    if others.isEmpty { return fail(batch, full) }
    do throws(LMDBFailure) {
      try environment.resize(to: options.maximumSize + options.removalReserve)
      try commit(others)
      try environment.resize(to: options.maximumSize)
    } catch {
      return fail(batch, error)
    }
    let appends = PendingWrites.Batch(entries: batch.entries)
    if appends.isEmpty { return }
    do throws(LMDBFailure) {
      try commit(appends)
    } catch {
      fail(appends, error)
    }
  }

  /// Entries are given up, the broker answers their senders; the rest is tried again. What the failed commit left on
  /// the disk is not known, so the entries are removed: nobody may get what was reported as failed.
  private mutating func fail(_ batch: PendingWrites.Batch, _ failure: LMDBFailure) {
    let reason = failure.reason
    if trouble != reason {
      logger.error("store cannot write", metadata: ["problem": "\(reason)", "path": "\(directory.path)"])
    }
    trouble = reason
    let failed = batch.entries.map(\.id)
    queue.record { statistics in
      statistics.failed += failed.count
      statistics.trouble = reason
    }
    var rest = batch
    rest.entries = []
    if !failure.isMapFull { rest.removals += failed }
    if !rest.isEmpty && !queue.giveBack(rest, due: .now + options.retryDelay) {
      logger.error(
        "store closed before removals were written: these messages will be sent again",
        metadata: ["count": "\(batch.removals.count)"])
    }
    if !failed.isEmpty { onEvent(.failed(failed, reason: reason)) }
  }
}
