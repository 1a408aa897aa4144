/// Limits and delays of the store. The defaults are those of the product; tests make them smaller.
package struct LMDBStoreOptions: Sendable {
  /// Bytes the data file may grow to. The whole size is mapped at once: it costs address space, not memory or disk.
  package var maximumSize: Int
  /// How long the first append of a batch waits for more. What is delivered meanwhile is never written.
  package var commitWindow: Duration = .milliseconds(2)
  /// How long removals wait when no append takes them along. A removal lost in a crash repeats a delivery with the
  /// same id, it loses nothing: it need not be hurried to the disk.
  package var removalDelay: Duration = .milliseconds(50)
  /// How long removals that could not be written wait for the next attempt.
  package var retryDelay: Duration = .seconds(1)
  /// Entries and bytes (`Entry.cost`) that start a commit before its window is over, and the most that one
  /// transaction takes. Keeps commits short and far from LMDB's own limit of 131,071 dirty pages.
  package var batchEntries: Int = 4096
  package var batchBytes: Int = 8 << 20
  /// Ids are reserved on disk in blocks of this many, see `IDReservation`.
  package var idBlock: UInt64 = 1 << 20

  package init(maximumSize: Int = 1 << 30) {
    self.maximumSize = maximumSize
  }

  /// Room above `maximumSize` that only removals may use: LMDB copies pages before it changes them, so that a
  /// completely full map could never be emptied again.
  var removalReserve: Int { max(1 << 20, maximumSize / 16) }
}
