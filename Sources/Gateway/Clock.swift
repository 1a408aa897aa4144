import BrokerCore
import Glibc

/// The one place where the gateway asks for the time of day.
enum Clock {
  static func now() -> Timestamp {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}

/// The time of day as far as it never runs backwards: where the clock is set back, this one goes on from where it was.
/// Otherwise retries and answers that are due in a second would wait until the old time comes round again.
struct SteadyTime {
  private var last = Timestamp(milliseconds: .min)
  private var ahead = Duration.zero

  mutating func advance(to wall: Timestamp) -> Timestamp {
    if wall < last { ahead += last - wall }
    last = wall
    return wall + ahead
  }
}
