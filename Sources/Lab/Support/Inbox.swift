import Foundation

/// What a reader thread heard and nobody asked for yet. Callable from any thread.
package final class Inbox<Item: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var waiting: [Item] = []
  private var ended: String?

  package init() {}

  package func append(_ item: Item) {
    lock.withLock { waiting.append(item) }
  }

  /// Nothing more will come; whoever waits is told `reason` at once.
  package func end(_ reason: String) {
    lock.withLock { if ended == nil { ended = reason } }
  }

  /// Why nothing more will come, nil while something may.
  package var end: String? { lock.withLock { ended } }

  /// Takes out the oldest item for which `matches` gives a value, waiting for it if need be.
  /// - Returns: nil when `limit` passed, or the source ended, without one.
  package func first<T>(within limit: Duration, where matches: (Item) -> T?) async throws -> T? {
    let found: T?? = try await waitFor(within: limit) {
      self.lock.withLock { () -> T?? in
        for (index, item) in self.waiting.enumerated() {
          if let value = matches(item) {
            self.waiting.remove(at: index)
            return .some(value)
          }
        }
        return self.ended == nil ? nil : .some(nil)
      }
    }
    return found ?? nil
  }

  /// Everything not asked for yet, for the text of a failure.
  package var rest: [Item] { lock.withLock { waiting } }

  package func removeAll() { lock.withLock { waiting.removeAll() } }
}
