import NIOCore
import NIOPosix
import Testing

@testable import Transport

/// The loop that all tests' connections live on.
let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

/// Runs on the loop and waits.
func onLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await loop.submit(body).get()
}

/// A handler that remembers what it is told. Tests await its futures; its closures run on the loop.
final class Recorder: ConnectionHandler, @unchecked Sendable {
  let secured = loop.makePromise(of: TLSSession.self)
  let closed = loop.makePromise(of: CloseReason.self)
  /// Set on the loop.
  private(set) var connection: Connection?
  private(set) var text: [UInt8] = []
  private(set) var deliveries = 0
  private(set) var calls: [String] = []
  private(set) var writabilityChanges: [Bool] = []
  private var waiters: [(count: Int, promise: EventLoopPromise<[UInt8]>)] = []
  var onReceived: ((Connection, [UInt8]) -> Void)?
  var onWritability: ((Connection) -> Void)?
  /// Whether to keep what arrives.
  var keeps = true
  private(set) var count = 0

  init() {
    // Tests that are not interested leave them alone.
    secured.futureResult.whenComplete { _ in }
    closed.futureResult.whenComplete { _ in }
  }

  func attach(_ connection: Connection) {
    self.connection = connection
    connection.handler = self
  }

  func connectionSecured(_ connection: Connection, session: TLSSession) {
    calls.append("secured")
    secured.succeed(session)
  }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    deliveries += 1
    count += bytes.count
    if keeps { text += bytes }
    if calls.last != "received" { calls.append("received") }
    onReceived?(connection, Array(bytes))
    satisfy()
  }

  func connectionWritabilityChanged(_ connection: Connection) {
    writabilityChanges.append(connection.isWritable)
    onWritability?(connection)
  }

  func connectionClosed(_ connection: Connection, reason: CloseReason) {
    calls.append("closed")
    secured.fail(Closed(reason: reason))
    for waiter in waiters { waiter.promise.fail(Closed(reason: reason)) }
    waiters = []
    closed.succeed(reason)
  }

  /// Waits until so many bytes have arrived.
  func received(_ count: Int) async throws -> [UInt8] {
    try await loop.flatSubmit { [self] in
      let promise = loop.makePromise(of: [UInt8].self)
      waiters.append((count, promise))
      satisfy()
      return promise.futureResult
    }.get()
  }

  func reason() async throws -> CloseReason { try await closed.futureResult.get() }
  func session() async throws -> TLSSession { try await secured.futureResult.get() }

  func with<T: Sendable>(_ body: @escaping @Sendable (Connection) -> T) async throws -> T {
    try await onLoop { [self] in
      guard let connection else { throw Closed(reason: .local) }
      return body(connection)
    }
  }

  func write(_ string: String) async throws { try await with { $0.write(Array(string.utf8)) } }

  private func satisfy() {
    for waiter in waiters where count >= waiter.count { waiter.promise.succeed(text) }
    waiters.removeAll { count >= $0.count }
  }
}

struct Closed: Error, CustomStringConvertible {
  var reason: CloseReason
  var description: String { reason.description }
}

/// A listener whose connections get recorders, and what it refused.
final class Server: @unchecked Sendable {
  private(set) var listener: Listener?
  private(set) var accepted: [Recorder] = []
  private(set) var refused: [ListenerLimit] = []
  private var waiters: [(Int, EventLoopPromise<Recorder>)] = []

  static func start(
    limits: ListenerLimits = ListenerLimits(), connectionLimits: ConnectionLimits = ConnectionLimits(),
    tls: TLSContext? = nil, setUp: @escaping @Sendable (Recorder) -> Void = { _ in }
  ) async throws -> Server {
    let server = Server()
    server.listener = try await loop.flatSubmit {
      Listener.bind(
        address: "127.0.0.1", port: 0, on: loop, limits: limits, connectionLimits: connectionLimits, directTLS: tls,
        refused: { server.refused.append($0) },
        accept: { connection in
          let recorder = Recorder()
          setUp(recorder)
          recorder.attach(connection)
          server.accepted.append(recorder)
          for (index, promise) in server.waiters where server.accepted.count > index { promise.succeed(recorder) }
          server.waiters.removeAll { server.accepted.count > $0.0 }
          return recorder
        })
    }.get()
    return server
  }

  var port: Int { listener?.localPort ?? 0 }
  var endpoint: Endpoint { Endpoint(host: "127.0.0.1", address: "127.0.0.1", port: port, tls: false) }

  /// The connection accepted as number `index`.
  func connection(_ index: Int = 0) async throws -> Recorder {
    try await loop.flatSubmit { [self] in
      if accepted.count > index { return loop.makeSucceededFuture(accepted[index]) }
      let promise = loop.makePromise(of: Recorder.self)
      waiters.append((index, promise))
      return promise.futureResult
    }.get()
  }
}

/// Dials; with a context, starts TLS at once.
func dial(
  _ endpoint: Endpoint, tls: TLSContext? = nil, serverName: String? = nil,
  limits: ConnectionLimits = ConnectionLimits(), setUp: @escaping @Sendable (Recorder) -> Void = { _ in }
) async throws -> Recorder {
  try await loop.flatSubmit {
    let promise = loop.makePromise(of: Recorder.self)
    Dialler.connect(to: [endpoint], on: loop, limits: limits) { result in
      switch result {
      case .failure(let error): promise.fail(error)
      case .success(let (connection, _)):
        let recorder = Recorder()
        setUp(recorder)
        recorder.attach(connection)
        if let tls { connection.startTLS(tls, serverName: serverName) }
        promise.succeed(recorder)
      }
    }
    return promise.futureResult
  }.get()
}

/// A direct TLS server and a client of it, as far as the handshake goes.
func handshake(
  server: TLSContext, client: TLSContext, serverName: String? = "server.test",
  limits: ConnectionLimits = ConnectionLimits()
) async throws -> (server: Recorder, client: Recorder) {
  let listener = try await Server.start(connectionLimits: limits, tls: server)
  let client = try await dial(listener.endpoint, tls: client, serverName: serverName, limits: limits)
  let accepted = try await listener.connection()
  listener.listener?.stop()
  return (accepted, client)
}
