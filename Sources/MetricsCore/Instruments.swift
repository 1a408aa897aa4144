import Synchronization

/// Something that is counted and only grows. Safe from any thread, without a lock.
package final class Counter: Sendable {
  private let value = Atomic<UInt64>(0)

  package func add(_ amount: UInt64 = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
  package var current: UInt64 { value.load(ordering: .relaxed) }
}

/// Something that is read off and may go up and down. Safe from any thread, without a lock.
package final class Gauge: Sendable {
  private let bits = Atomic<UInt64>(0)

  package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
  package func set(_ value: Int) { set(Double(value)) }

  package func add(_ amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
      if exchanged { return }
      old = original
    }
  }

  package var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// How durations are spread. Bounds are in seconds, ascending; the last bucket is +Inf. Safe from any thread.
package final class Histogram: Sendable {
  package let bounds: [Double]
  private let state: Mutex<(counts: [UInt64], sum: Double)>

  package init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex((Array(repeating: 0, count: bounds.count + 1), 0))
  }

  /// A clock that was set back gives a negative duration; it counts as none.
  package func observe(_ measured: Double) {
    let seconds = max(0, measured)
    let bucket = bounds.firstIndex { seconds <= $0 } ?? bounds.count
    state.withLock {
      $0.counts[bucket] += 1
      $0.sum += seconds
    }
  }

  package func observe(_ duration: Duration) {
    let parts = duration.components
    observe(Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
  }

  /// Cumulative counts by bound, the last being the count of all; and the sum in seconds.
  package var current: (cumulative: [UInt64], sum: Double) {
    let (counts, sum) = state.withLock { $0 }
    var total: UInt64 = 0
    return (
      counts.map {
        total += $0
        return total
      }, sum
    )
  }

  /// From half a millisecond to a minute: a message's way through the gateway.
  package static let latency: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]
}
