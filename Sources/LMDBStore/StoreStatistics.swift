/// One commit, for the metrics.
package struct StoreCommit: Sendable {
  /// From the begin of the transaction to the return of the sync.
  package var duration: Duration
  package var entries: Int
  package var removals: Int
}

/// Totals since the store was opened, and what the file occupies.
package struct StoreStatistics: Sendable, Equatable {
  package var commits = 0
  /// Entries written.
  package var written = 0
  /// Removals written.
  package var removed = 0
  /// Entries that were removed before they were written.
  package var annihilated = 0
  /// Entries that could not be written.
  package var failed = 0
  /// Bytes of the data file.
  package var usedBytes = 0
  /// Why the last attempt to write failed; nil while the store works.
  package var trouble: String?
}
