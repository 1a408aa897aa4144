import NIOCore

/// How many connections a listener takes.
package struct ListenerLimits: Hashable, Sendable {
  /// Connections at one time, from everywhere.
  package var total = 2048
  /// Connections at one time from one source: an IPv4 address, or the /64 of an IPv6 address, which is what one
  /// subscriber has (RFC 6177 §2).
  package var perSource = 128
  /// New connections per second, on average …
  package var perSecond = 200
  /// … of which so many may come at once.
  package var burst = 400
  /// Connections that the kernel holds until they are accepted (listen(2)).
  package var backlog: Int32 = 256

  package init() {}
}

/// The limit that a connection was refused for.
package enum ListenerLimit: String, CaseIterable, Sendable {
  case total, perSource, perSecond
}

/// Counts a listener's connections. Who is let in must be let out again with `leave`.
struct ListenerGate {
  struct Source: Hashable {
    let prefix: [UInt8]

    init(_ address: IPAddress) {
      switch address {
      case .v4(let bytes): prefix = bytes
      case .v6(let bytes): prefix = Array(bytes.prefix(8))
      }
    }
  }

  private let limits: ListenerLimits
  private(set) var count = 0
  private var counts: [Source: Int] = [:]
  /// A token bucket, in billionths of a connection: one per nanosecond at one connection per second.
  private var tokens: Int64
  private var refilled: NIODeadline

  private static let token: Int64 = 1_000_000_000

  init(_ limits: ListenerLimits, now: NIODeadline) {
    self.limits = limits
    tokens = Int64(limits.burst) * Self.token
    refilled = now
  }

  /// - Returns: nil if the connection may come in, which counts it, or the limit it would pass.
  mutating func enter(_ source: Source, now: NIODeadline) -> ListenerLimit? {
    refill(now)
    guard count < limits.total else { return .total }
    guard counts[source, default: 0] < limits.perSource else { return .perSource }
    guard tokens >= Self.token else { return .perSecond }
    tokens -= Self.token
    count += 1
    counts[source, default: 0] += 1
    return nil
  }

  mutating func leave(_ source: Source) {
    guard let old = counts[source] else { return }
    counts[source] = old > 1 ? old - 1 : nil
    count -= 1
  }

  private mutating func refill(_ now: NIODeadline) {
    let full = Int64(limits.burst) * Self.token
    let elapsed = max(0, (now - refilled).nanoseconds)
    let (gain, overflow) = elapsed.multipliedReportingOverflow(by: Int64(limits.perSecond))
    tokens = overflow || gain >= full - tokens ? full : tokens + gain
    refilled = now
  }
}
