import Glibc

/// Wakes one sleeping thread: a pipe, polled with a time limit. (Glibc's Swift module has no eventfd, and a condition
/// variable would bring raw memory along.)
final class Wakeup: Sendable {
  private let reading: Int32
  private let writing: Int32

  init() throws(StoreError) {
    var descriptors: [Int32] = [-1, -1]
    guard unsafe pipe(&descriptors) == 0 else {
      throw .unusable(path: "pipe", problem: StoreDirectory.errorText(errno))
    }
    reading = descriptors[0]
    writing = descriptors[1]
    for descriptor in descriptors {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }
  }

  deinit {
    close(reading)
    close(writing)
  }

  func signal() {
    var byte: UInt8 = 1
    // Fails only when the pipe is full of signals, and then the sleeper wakes all the same.
    _ = unsafe write(writing, &byte, 1)
  }

  /// Returns when signalled, when the time has come, or for no reason.
  func wait(until deadline: ContinuousClock.Instant?) {
    var descriptor = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&descriptor, 1, deadline.map(Self.milliseconds) ?? -1) > 0 else { return }
    var signals = [UInt8](repeating: 0, count: 64)
    _ = unsafe read(reading, &signals, signals.count)
  }

  /// From now, rounded up: to wake early is to wake twice.
  private static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
    let left = max(.zero, deadline - .now) + .nanoseconds(999_999)
    let whole = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
    return Int32(clamping: whole)
  }
}
