import Foundation

/// How often a condition is looked at. Short beside everything that is waited for; times that are reported are taken
/// by the reader thread of a socket, not here.
private let pollInterval = Duration.milliseconds(4)

/// Waits until `condition` gives a value. There is no fixed sleep in the lab: everything is awaited by its effect.
/// - Returns: the value, or nil when `limit` passed without one.
package func waitFor<T>(within limit: Duration, _ condition: () throws -> T?) async throws -> T? {
  let deadline = ContinuousClock.now + limit
  while true {
    if let value = try condition() { return value }
    if ContinuousClock.now >= deadline { return nil }
    try await Task.sleep(for: pollInterval)
  }
}

/// Waits until `condition` holds; false when `limit` passed first.
@discardableResult
package func waitUntil(within limit: Duration, _ condition: () throws -> Bool) async throws -> Bool {
  try await waitFor(within: limit) { try condition() ? () : nil } != nil
}

extension Duration {
  /// For texts: `12.3`.
  package var milliseconds: Double {
    Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
  }
}
