import NIOCore
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct ListenerTests {
  @Test func total() async throws {
    var limits = ListenerLimits()
    limits.total = 3
    let server = try await Server.start(limits: limits)
    var clients: [Recorder] = []
    for index in 0..<3 {
      clients.append(try await dial(server.endpoint))
      _ = try await server.connection(index)
    }
    #expect(try await onLoop { server.refused } == [])
    let extra = try await dial(server.endpoint)
    _ = try await extra.reason()
    #expect(try await onLoop { server.refused } == [.total])
    #expect(try await onLoop { server.listener?.connectionCount } == 3)
    // Room again.
    try await clients[0].with { $0.close() }
    _ = try await server.connection(0).reason()
    let next = try await dial(server.endpoint)
    try await next.write("x")
    _ = try await server.connection(3).received(1)
    #expect(try await onLoop { server.refused } == [.total])
  }

  @Test(arguments: [ListenerLimit.perSource, .perSecond])
  func others(_ limit: ListenerLimit) async throws {
    var limits = ListenerLimits()
    if limit == .perSource { limits.perSource = 1 } else { (limits.perSecond, limits.burst) = (0, 1) }
    let server = try await Server.start(limits: limits)
    _ = try await dial(server.endpoint)
    _ = try await server.connection()
    _ = try await dial(server.endpoint).reason()
    #expect(try await onLoop { server.refused } == [limit])
  }

  @Test func stop() async throws {
    let server = try await Server.start()
    let client = try await dial(server.endpoint)
    let accepted = try await server.connection()
    try await server.listener?.stop().get()
    try await server.listener?.stop().get()
    // Another test may have been given the port meanwhile; this listener takes nobody.
    _ = try? await dial(server.endpoint)
    #expect(try await onLoop { server.accepted.count } == 1)
    // Who is in, stays in.
    try await client.write("x")
    #expect(try await accepted.received(1) == [UInt8(ascii: "x")])
  }

  @Test func addressInUse() async throws {
    let server = try await Server.start()
    let port = server.port
    func bind(_ address: String, _ port: Int) async -> String {
      do {
        try await loop.flatSubmit { Listener.bind(address: address, port: port, on: loop) { _ in nil } }.get().stop()
          .get()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(await bind("127.0.0.1", port) == "127.0.0.1 port \(port): Address already in use")
    #expect(await bind("localhost", 0) == "localhost port 0: not an IP address and port")
    #expect(await bind("127.0.0.1", 65536) == "127.0.0.1 port 65536: not an IP address and port")
    #expect(await bind("::1", 0) == "no error")
  }

  @Test func refusedByTheOwner() async throws {
    let listener = try await loop.flatSubmit {
      Listener.bind(address: "127.0.0.1", port: 0, on: loop) { _ in nil }
    }.get()
    let client = try await dial(Endpoint(host: "", address: "127.0.0.1", port: listener.localPort, tls: false))
    _ = try await client.reason()
    #expect(try await onLoop { listener.connectionCount } == 0)
  }
}

@Suite struct ListenerGateTests {
  private func source(_ address: String) throws -> ListenerGate.Source {
    ListenerGate.Source(try #require(IPAddress(address)))
  }

  @Test func sources() throws {
    // One IPv6 subscriber has a /64; an IPv4 address counts alone, mapped or not.
    #expect(try source("2001:db8::1") == source("2001:db8::ffff:2"))
    #expect(try source("2001:db8::1") != source("2001:db8:0:1::1"))
    #expect(try source("192.0.2.1") == source("::ffff:192.0.2.1"))
    #expect(try source("192.0.2.1") != source("192.0.2.2"))
  }

  @Test func bucket() throws {
    var limits = ListenerLimits()
    (limits.perSecond, limits.burst) = (10, 2)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var gate = ListenerGate(limits, now: start)
    let here = try source("192.0.2.1")
    #expect(gate.enter(here, now: start) == nil)
    #expect(gate.enter(here, now: start) == nil)
    #expect(gate.enter(here, now: start) == .perSecond)
    #expect(gate.enter(here, now: start + .milliseconds(99)) == .perSecond)
    #expect(gate.enter(here, now: start + .milliseconds(100)) == nil)
    // Not more than the burst is saved up.
    let later = start + .hours(1)
    #expect(gate.enter(here, now: later) == nil)
    #expect(gate.enter(here, now: later) == nil)
    #expect(gate.enter(here, now: later) == .perSecond)
    #expect(gate.count == 5)
  }

  @Test func leaving() throws {
    var limits = ListenerLimits()
    (limits.total, limits.perSource) = (2, 1)
    var gate = ListenerGate(limits, now: .uptimeNanoseconds(0))
    let (one, two, three) = (try source("192.0.2.1"), try source("192.0.2.2"), try source("192.0.2.3"))
    #expect(gate.enter(one, now: .uptimeNanoseconds(0)) == nil)
    #expect(gate.enter(one, now: .uptimeNanoseconds(0)) == .perSource)
    #expect(gate.enter(two, now: .uptimeNanoseconds(0)) == nil)
    #expect(gate.enter(three, now: .uptimeNanoseconds(0)) == .total)
    gate.leave(three)
    #expect(gate.count == 2)
    gate.leave(one)
    #expect(gate.enter(three, now: .uptimeNanoseconds(0)) == nil)
  }
}

@Suite(.timeLimit(.minutes(1))) struct DiallerTests {
  private func connect(_ endpoints: [Endpoint]) async throws -> Result<Endpoint, DialError> {
    let promise = loop.makePromise(of: Result<Endpoint, DialError>.self)
    try await onLoop {
      Dialler.connect(to: endpoints, on: loop) { result in
        promise.succeed(
          result.map { connection, endpoint in
            connection.abort(.local)
            return endpoint
          })
      }
    }
    return try await promise.futureResult.get()
  }

  @Test func nextAfterFailure() async throws {
    let server = try await Server.start()
    let reserved = UnansweredSocket(.refusing)
    defer { reserved.close() }
    let dead = Endpoint(host: "dead.test", address: "127.0.0.1", port: reserved.port, tls: false)
    #expect(try await connect([dead, server.endpoint]) == .success(server.endpoint))
    #expect(try await connect([server.endpoint, dead]) == .success(server.endpoint))
  }

  @Test func errorsNameEveryAttempt() async throws {
    let reserved = UnansweredSocket(.refusing)
    defer { reserved.close() }
    let port = reserved.port
    let endpoints = [
      Endpoint(host: "dead.test", address: "127.0.0.1", port: port, tls: false),
      Endpoint(host: "name.test", address: "name.test", port: 1, tls: false),
      Endpoint(host: "127.0.0.1", address: "127.0.0.1", port: 70_000, tls: false),
    ]
    guard case .failure(let error) = try await connect(endpoints) else {
      Issue.record("connected")
      return
    }
    #expect(error.attempts.count == 3)
    #expect(error.attempts.contains("dead.test (127.0.0.1:\(port)): Connection refused"))
    #expect(error.attempts.contains("name.test:1: not an IP address and port"))
    #expect(try await connect([]) == .failure(DialError(attempts: [])))
  }

  /// The first answers nothing: the second is started beside it, wins, and the first is dropped.
  @Test func happyEyeballs() async throws {
    let silent = UnansweredSocket(.silent)
    defer { silent.close() }
    let server = try await Server.start()
    let first = Endpoint(host: "silent", address: "127.0.0.1", port: silent.port, tls: false)
    #expect(try await connect([first, server.endpoint]) == .success(server.endpoint))
  }

  @Test func deadline() async throws {
    let silent = UnansweredSocket(.silent)
    defer { silent.close() }
    var timing = Dialler.Timing()
    timing.deadline = .milliseconds(50)
    let first = Endpoint(host: "silent", address: "127.0.0.1", port: silent.port, tls: false)
    let promise = loop.makePromise(of: String.self)
    let wanted = timing
    try await onLoop {
      Dialler.connect(to: [first], on: loop, timing: wanted) { result in
        if case .failure(let error) = result { promise.succeed("\(error)") } else { promise.succeed("connected") }
      }
    }
    #expect(try await promise.futureResult.get() == "no connection within 50 ms")
  }
}
