/// Names a timer that runs; never used again.
struct TimerID: Hashable {
  fileprivate var rawValue: UInt64
}

/// What is due when. Times are milliseconds of uptime.
///
/// Timers of one duration fall due in the order in which they were started, so each duration has a queue of its own and
/// starting, stopping and firing cost the same however many run: nearly all are stopped, not fired. There are about a
/// dozen durations; random pauses have a lane for themselves, which goes when it is empty.
struct Timers<Token> {
  private struct Due {
    var at: Int64
    var id: UInt64
  }

  private struct Lane {
    let duration: Int64
    var queue = Fifo<Due>()
  }

  private var lanes: [Lane] = []
  private var tokens: [UInt64: Token] = [:]
  private var lastID: UInt64 = 0

  /// Those that run.
  var count: Int { tokens.count }

  mutating func start(_ token: Token, after duration: Int64, now: Int64) -> TimerID {
    lastID += 1
    tokens[lastID] = token
    let due = Due(at: now + duration, id: lastID)
    if let index = lanes.firstIndex(where: { $0.duration == duration }) {
      lanes[index].queue.append(due)
    } else {
      lanes.append(Lane(duration: duration))
      lanes[lanes.count - 1].queue.append(due)
    }
    return TimerID(rawValue: lastID)
  }

  mutating func stop(_ id: TimerID?) {
    if let id { tokens[id.rawValue] = nil }
  }

  /// When `takeDue` has something to give.
  mutating func nextDeadline() -> Int64? { earliest()?.at }

  /// A timer whose time has come, the earliest first; it runs no longer.
  mutating func takeDue(now: Int64) -> Token? {
    guard let due = earliest(), due.at <= now else { return nil }
    return tokens.removeValue(forKey: due.id)
  }

  /// Forgets those that were stopped on the way.
  private mutating func earliest() -> Due? {
    var earliest: Due?
    var index = 0
    while index < lanes.count {
      while let first = lanes[index].queue.first, tokens[first.id] == nil { _ = lanes[index].queue.popFirst() }
      guard let first = lanes[index].queue.first else {
        lanes.remove(at: index)
        continue
      }
      if earliest.map({ first.at < $0.at }) ?? true { earliest = first }
      index += 1
    }
    return earliest
  }
}
