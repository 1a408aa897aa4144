import NIOCore

/// Drives echoes through a target and keeps the account: what was sent, what came back, when, in which order.
/// Confined to its event loop, which is all that makes it Sendable. Bounded: it sends `count` messages and gives up when nothing has come back for
/// `patience`.
package final class RoundTrips: @unchecked Sendable {
  package struct Plan: Sendable {
    package var count: Int
    package var users: Int
    /// Outstanding at most (saturation), or nil for a steady rate.
    package var window: Int?
    /// Messages per second, where no window is set.
    package var rate: Double = 1000
    package var patience: TimeAmount = .seconds(15)

    package init(count: Int, users: Int, window: Int?, rate: Double = 1000) {
      self.count = count
      self.users = users
      self.window = window
      self.rate = rate
    }
  }

  package struct Account: Sendable, Encodable {
    package var sent = 0
    package var returned = 0
    package var errors = 0
    package var repeated = 0
    package var reordered = 0
    package var seconds = 0.0
    package var p50 = 0.0
    package var p99 = 0.0
    package var worst = 0.0
    package var lost: Int { sent - returned - errors }
    package var perSecond: Double { seconds > 0 ? Double(returned) / seconds : 0 }
  }

  private let plan: Plan
  private let loop: any EventLoop
  private let send: (_ user: Int, _ number: Int) -> Void
  private let done: EventLoopPromise<Account>
  private var account = Account()
  private var sentAt: [UInt64]
  private var latencies: [UInt64] = []
  private var newest: [Int]
  private var outstanding = 0
  private var started: UInt64 = 0
  private var lastReturn: UInt64 = 0
  private var isDone = false

  package init(plan: Plan, on loop: any EventLoop, send: @escaping (_ user: Int, _ number: Int) -> Void) {
    self.plan = plan
    self.loop = loop
    self.send = send
    done = loop.makePromise()
    sentAt = Array(repeating: 0, count: plan.count)
    newest = Array(repeating: -1, count: plan.users)
    latencies.reserveCapacity(plan.count)
  }

  package func run() -> EventLoopFuture<Account> {
    started = NIODeadline.now().uptimeNanoseconds
    lastReturn = started
    watch()
    if plan.window != nil { fill() } else { pace() }
    return done.futureResult
  }

  /// An echo of message `number` came back.
  package func returned(number: Int, at now: UInt64 = NIODeadline.now().uptimeNanoseconds) {
    guard number >= 0, number < account.sent, !isDone else { return }
    guard sentAt[number] != 0 else {
      account.repeated += 1
      return
    }
    latencies.append(now - sentAt[number])
    sentAt[number] = 0
    let user = number % plan.users
    if number < newest[user] { account.reordered += 1 }
    newest[user] = max(newest[user], number)
    account.returned += 1
    ended(at: now)
  }

  package func failed() {
    account.errors += 1
    ended(at: NIODeadline.now().uptimeNanoseconds)
  }

  private func ended(at now: UInt64) {
    outstanding -= 1
    lastReturn = now
    if account.returned + account.errors >= plan.count { finish() } else if plan.window != nil { fill() }
  }

  private func sendNext() {
    let number = account.sent
    account.sent += 1
    outstanding += 1
    sentAt[number] = NIODeadline.now().uptimeNanoseconds
    send(number % plan.users, number)
  }

  private func fill() {
    while outstanding < plan.window!, account.sent < plan.count { sendNext() }
  }

  private func pace() {
    guard !isDone else { return }
    let elapsed = Double(NIODeadline.now().uptimeNanoseconds - started) / 1e9
    while account.sent < plan.count, Double(account.sent) < elapsed * plan.rate { sendNext() }
    if account.sent < plan.count { loop.scheduleTask(in: .milliseconds(1)) { [self] in pace() } }
  }

  private func watch() {
    loop.scheduleTask(in: .seconds(1)) { [self] in
      guard !isDone else { return }
      let quiet = NIODeadline.now().uptimeNanoseconds - lastReturn
      if quiet > UInt64(plan.patience.nanoseconds) { finish() } else { watch() }
    }
  }

  private func finish() {
    guard !isDone else { return }
    isDone = true
    account.seconds = Double(lastReturn - started) / 1e9
    latencies.sort()
    func percentile(_ p: Double) -> Double {
      latencies.isEmpty ? 0 : Double(latencies[min(latencies.count - 1, Int(Double(latencies.count) * p))]) / 1e6
    }
    account.p50 = percentile(0.5)
    account.p99 = percentile(0.99)
    account.worst = latencies.last.map { Double($0) / 1e6 } ?? 0
    done.succeed(account)
  }
}

/// The bodies that the load tool sends carry their number in front, so that an echo is known again whoever carried it.
package enum LoadBody {
  static let padding = String(repeating: "lorem ipsum dolor ", count: 4)

  package static func text(_ number: Int) -> String { "#\(number) \(padding)" }

  package static func number(_ body: some StringProtocol) -> Int? {
    guard body.utf8.first == 35 else { return nil }
    return Int(body.dropFirst().prefix { $0 != " " })
  }
}
