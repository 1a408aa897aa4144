package import NIOCore
import NIOPosix

/// Opens connections, after the manner of Happy Eyeballs (RFC 8305 §5): the next endpoint is tried when the one before has
/// failed or has not answered for a moment; the first that answers wins, the others are dropped.
package enum Dialler {
  package struct Timing: Sendable {
    /// Between the starts of two attempts (RFC 8305 §8: Connection Attempt Delay).
    package var attemptDelay: TimeAmount = .milliseconds(250)
    /// For one attempt.
    package var connectTimeout: TimeAmount = .seconds(10)
    /// For all of them.
    package var deadline: TimeAmount = .seconds(30)

    package init() {}
  }

  /// Connects to one of the endpoints. TCP only: for an endpoint with `tls` the caller starts TLS.
  ///
  /// Must be called on `loop`. The connection has no handler yet; what the peer sends waits until it has one.
  /// - Parameter completion: called once, on the loop, never from within this call.
  package static func connect(
    to endpoints: [Endpoint], on loop: any EventLoop, timing: Timing = Timing(),
    limits: ConnectionLimits = ConnectionLimits(),
    completion: @escaping (Result<(Connection, Endpoint), DialError>) -> Void
  ) {
    loop.preconditionInEventLoop()
    let race = DialRace(endpoints, on: loop, timing, limits, completion)
    loop.assumeIsolated().execute { race.start() }
  }

  /// As above. The future's callbacks need `assumeIsolated()`: a connection never leaves its loop.
  package static func connect(
    to endpoints: [Endpoint], on loop: any EventLoop, timing: Timing = Timing(),
    limits: ConnectionLimits = ConnectionLimits()
  ) -> EventLoopFuture<(Connection, Endpoint)> {
    let promise = loop.makePromise(of: (Connection, Endpoint).self)
    connect(to: endpoints, on: loop, timing: timing, limits: limits) { result in
      promise.assumeIsolated().completeWith(result.mapError { $0 })
    }
    return promise.futureResult
  }
}

/// None of the endpoints could be reached. One reason for each that was tried.
package struct DialError: Error, Hashable, Sendable, CustomStringConvertible {
  package var attempts: [String]

  package var description: String { attempts.isEmpty ? "nothing to connect to" : attempts.joined(separator: "; ") }
}

/// One call of `Dialler.connect`. Kept alive by its attempts and its timer.
private final class DialRace {
  private let loop: any EventLoop
  private let timing: Dialler.Timing
  private let limits: ConnectionLimits
  private var waiting: ArraySlice<Endpoint>
  /// The channels that are connecting.
  private var running: [Int: any Channel] = [:]
  private var started = 0
  private var failures: [String] = []
  private var nextTimer: Scheduled<Void>?
  private var deadlineTimer: Scheduled<Void>?
  private var completion: ((Result<(Connection, Endpoint), DialError>) -> Void)?

  init(
    _ endpoints: [Endpoint], on loop: any EventLoop, _ timing: Dialler.Timing, _ limits: ConnectionLimits,
    _ completion: @escaping (Result<(Connection, Endpoint), DialError>) -> Void
  ) {
    waiting = endpoints[...]
    self.loop = loop
    self.timing = timing
    self.limits = limits
    self.completion = completion
  }

  func start() {
    deadlineTimer = loop.assumeIsolated().scheduleTask(in: timing.deadline) { [self] in
      failures.append("no connection within \(timing.deadline.text)")
      end(.failure(DialError(attempts: failures)))
    }
    tryNext()
  }

  private func tryNext() {
    nextTimer?.cancel()
    nextTimer = nil
    guard completion != nil else { return }
    guard let endpoint = waiting.popFirst() else {
      if running.isEmpty { end(.failure(DialError(attempts: failures))) }
      return
    }
    attempt(endpoint)
    if !waiting.isEmpty, completion != nil {
      nextTimer = loop.assumeIsolated().scheduleTask(in: timing.attemptDelay) { [self] in tryNext() }
    }
  }

  private func attempt(_ endpoint: Endpoint) {
    started += 1
    let number = started
    let bound = NIOLoopBound(self, eventLoop: loop)
    let limits = limits
    let connecting: EventLoopFuture<any Channel>
    do {
      // Never a name here: that would ask getaddrinfo.
      guard let numeric = IPAddress(endpoint.address), (1...65535).contains(endpoint.port) else {
        throw AddressError("not an IP address and port")
      }
      let address = try SocketAddress(ipAddress: numeric.text, port: endpoint.port)
      connecting = ClientBootstrap(group: loop)
        .connectTimeout(timing.connectTimeout)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            bound.value.running[number] = channel
            try ChannelSettings.apply(to: channel, limits)
          }
        }
        .connect(to: address)
    } catch {
      connecting = loop.makeFailedFuture(error)
    }
    connecting.assumeIsolated().whenComplete { [self] result in
      running[number] = nil
      switch result {
      case .success(let channel): connected(channel, endpoint)
      case .failure(let error): failed(error, endpoint)
      }
    }
  }

  private func connected(_ channel: any Channel, _ endpoint: Endpoint) {
    guard completion != nil else {
      channel.close(promise: nil)
      return
    }
    let connection = Connection(channel: channel, limits: limits)
    do {
      try channel.pipeline.syncOperations.addHandler(ChannelBridge(connection: connection))
    } catch {
      return failed(error, endpoint)
    }
    connection.channelActive()
    end(.success((connection, endpoint)))
  }

  private func failed(_ error: any Error, _ endpoint: Endpoint) {
    guard completion != nil else { return }
    failures.append("\(endpoint): \(SystemError.text(error))")
    tryNext()
  }

  private func end(_ result: Result<(Connection, Endpoint), DialError>) {
    nextTimer?.cancel()
    deadlineTimer?.cancel()
    let completion = completion
    self.completion = nil
    for channel in running.values { channel.close(promise: nil) }
    running = [:]
    completion?(result)
  }
}
