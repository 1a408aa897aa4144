package import BrokerCore
package import Logging
import Synchronization

/// The durable delivery queue in an LMDB file. One process has it open, one thread writes.
///
/// The way of an operation: `submit` puts it into `PendingWrites` (behind `WriteQueue`'s lock); the writer thread takes
/// what is due as one batch, writes it in one transaction with one synchronous commit, and then tells `.committed`.
/// Files: `Environment` and `Transaction` wrap LMDB, `EntryCodec` is the form of a record, `Recovery` the start.
package final class LMDBStore: DeliveryStore, Sendable {
  private let queue: WriteQueue
  private let thread: Mutex<WorkerThread?>

  private init(queue: WriteQueue, thread: WorkerThread) {
    self.queue = queue
    self.thread = Mutex(thread)
  }

  deinit { close() }

  /// Opens or creates the store in the directory `path`, whose parent must exist. Blocks while it reads.
  ///
  /// `onEvent` and `observer` are called on the writer thread, `onEvent` first, and should return soon: no commit
  /// starts meanwhile.
  package static func open(
    path: String, options: LMDBStoreOptions = LMDBStoreOptions(), logger: Logger,
    onEvent: @escaping @Sendable (StoreEvent) -> Void,
    observer: @escaping @Sendable (StoreCommit) -> Void = { _ in }
  ) throws(StoreError) -> (store: LMDBStore, recovered: Recovered) {
    let directory = try StoreDirectory(path: path)
    var environment = try openEnvironment(path: path, options: options)
    let recovered = try recover(from: &environment, path: path, options: options, logger: logger)
    try directory.sync()
    var reservation = IDReservation(last: recovered.lastID.rawValue, block: options.idBlock)
    reservation.written(recovered.lastID.rawValue &+ options.idBlock)
    let queue = WriteQueue(
      pending: PendingWrites(options: options, reservation: reservation), wakeup: try Wakeup())
    let usedBytes = environment.usedBytes
    queue.record { $0.usedBytes = usedBytes }
    // The lock is taken once, for the life of the thread: it makes the writer's state the thread's own.
    let writer = Mutex(
      Writer(
        environment: environment, directory: directory, queue: queue, options: options, logger: logger,
        onEvent: onEvent, observer: observer))
    let thread = try WorkerThread(name: "store") { writer.withLock { $0.run() } }
    return (LMDBStore(queue: queue, thread: thread), recovered)
  }

  private static func openEnvironment(
    path: String, options: LMDBStoreOptions
  ) throws(StoreError) -> Environment {
    do throws(LMDBFailure) {
      return try Environment(path: path, mapSize: options.maximumSize)
    } catch {
      throw error.storeError(path: path)
    }
  }

  private static func recover(
    from environment: inout Environment, path: String, options: LMDBStoreOptions, logger: Logger
  ) throws(StoreError) -> Recovered {
    do throws(LMDBFailure) {
      return try environment.write { (transaction) throws(LMDBFailure) in
        try Recovery.load(transaction, idBlock: options.idBlock, logger: logger)
      }
    } catch {
      throw error.storeError(path: path)
    }
  }

  package func submit(_ operations: [StoreOperation]) {
    queue.submit(operations)
  }

  /// Writes what is queued, tells of it, and closes the file. What is submitted later is ignored, without an event:
  /// it was never acknowledged. Must not be called from `onEvent`.
  package func close() {
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let thread else { return }
    queue.close()
    thread.join()
  }

  package var statistics: StoreStatistics { queue.statistics }
}
