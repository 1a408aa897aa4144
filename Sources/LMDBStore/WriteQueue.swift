import BrokerCore
import Synchronization

/// Between the threads that submit and the one that writes. Submitting takes a lock for some hundred nanoseconds, and
/// one system call where the writer has to be woken; it never waits for the disk.
final class WriteQueue: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Turn {
    case write(PendingWrites.Batch)
    /// nil: until woken.
    case wait(until: Instant?)
    case end
  }

  private enum Sleep {
    case awake
    case until(Instant)
    case untilWoken
  }

  private struct State {
    var pending: PendingWrites
    var writer = Sleep.awake
    var closing = false
    var statistics = StoreStatistics()
  }

  private let state: Mutex<State>
  let wakeup: Wakeup

  init(pending: PendingWrites, wakeup: Wakeup) {
    state = Mutex(State(pending: pending))
    self.wakeup = wakeup
  }

  func submit(_ operations: [StoreOperation]) {
    let now = ContinuousClock.now
    let wake = state.withLock { state in
      if state.closing { return false }
      for operation in operations { state.pending.add(operation, now: now) }
      return Self.mustWake(&state)
    }
    if wake { wakeup.signal() }
  }

  /// What the writer does next.
  func turn() -> Turn {
    let now = ContinuousClock.now
    return state.withLock { state in
      state.writer = .awake
      guard let due = state.pending.due else {
        if state.closing { return .end }
        state.writer = .untilWoken
        return .wait(until: nil)
      }
      if due <= now || state.closing { return .write(state.pending.take()) }
      state.writer = .until(due)
      return .wait(until: due)
    }
  }

  /// False if the store is closing: there will be no other attempt.
  func giveBack(_ batch: PendingWrites.Batch, due: Instant) -> Bool {
    state.withLock { state in
      if !state.closing { state.pending.giveBack(batch, due: due) }
      return !state.closing
    }
  }

  func reserved(_ end: UInt64) {
    state.withLock { $0.pending.reserved(end) }
  }

  func close() {
    state.withLock { $0.closing = true }
    wakeup.signal()
  }

  func record(_ change: (inout StoreStatistics) -> Void) {
    state.withLock { change(&$0.statistics) }
  }

  var statistics: StoreStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.annihilated = state.pending.annihilated
      return statistics
    }
  }

  private static func mustWake(_ state: inout State) -> Bool {
    guard let due = state.pending.due else { return false }
    switch state.writer {
    case .awake: return false
    case .until(let planned) where planned <= due: return false
    case .until, .untilWoken:
      state.writer = .awake
      return true
    }
  }
}
