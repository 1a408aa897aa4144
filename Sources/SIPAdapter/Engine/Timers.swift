/// Names a timer that runs; never used again.
struct TimerID: Hashable {
  fileprivate var rawValue: UInt64
}

/// What is due when. Times are milliseconds of uptime.
///
/// Timers of one duration fall due in the order in which they were started, so each duration has a queue of its own and
/// starting, stopping and firing cost the same however many run: nearly all are stopped, not fired. There are about a
/// dozen durations.
struct Timers<Token> {
  private struct Due {
    var at: Int64
    var id: UInt64
  }

  private var lanes: [Int64: Fifo<Due>] = [:]
  private var tokens: [UInt64: Token] = [:]
  private var lastID: UInt64 = 0

  var count: Int { tokens.count }

  mutating func start(_ token: Token, after duration: Int64, now: Int64) -> TimerID {
    lastID += 1
    tokens[lastID] = token
    lanes[duration, default: Fifo()].append(Due(at: now + duration, id: lastID))
    return TimerID(rawValue: lastID)
  }

  mutating func stop(_ id: TimerID?) {
    if let id { tokens[id.rawValue] = nil }
  }

  /// When `takeDue` has something to give.
  mutating func nextDeadline() -> Int64? {
    var next: Int64?
    for duration in lanes.keys {
      while let first = lanes[duration]?.first {
        if tokens[first.id] != nil {
          next = min(next ?? first.at, first.at)
          break
        }
        _ = lanes[duration]?.popFirst()
      }
      // Random pauses have a lane for one timer each.
      if lanes[duration]?.isEmpty == true { lanes[duration] = nil }
    }
    return next
  }

  /// A timer whose time has come; it runs no longer.
  mutating func takeDue(now: Int64) -> Token? {
    for duration in lanes.keys {
      while let first = lanes[duration]?.first {
        let token = tokens[first.id]
        if token != nil, first.at > now { break }
        _ = lanes[duration]?.popFirst()
        if let token {
          tokens[first.id] = nil
          return token
        }
      }
    }
    return nil
  }
}
