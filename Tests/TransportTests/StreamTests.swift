import NIOCore
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(2))) struct StreamTests {
  let server: TLSContext
  let client: TLSContext

  init() throws {
    let certificates = try Certificates.shared.get()
    server = try .server(
      identities: [certificates.identity("server")], trust: certificates.trust, options: TLSOptions())
    client = try .client(
      identity: certificates.identity("client"), trust: certificates.trust, options: TLSOptions())
  }

  private func secured(
    limits: ConnectionLimits = ConnectionLimits()
  ) async throws -> (server: Recorder, client: Recorder) {
    let pair = try await handshake(server: server, client: client, limits: limits)
    _ = try await (pair.server.session(), pair.client.session())
    return pair
  }

  private func clear(
    limits: ConnectionLimits = ConnectionLimits()
  ) async throws -> (server: Recorder, client: Recorder) {
    let listener = try await Server.start(connectionLimits: limits)
    let client = try await dial(listener.endpoint, limits: limits)
    return (try await listener.connection(), client)
  }

  @Test func addresses() async throws {
    let listener = try await Server.start()
    let client = try await dial(listener.endpoint)
    let server = try await listener.connection()
    let theirs = try await client.with { ($0.remoteAddress, $0.remotePort, $0.localPort) }
    let ours = try await server.with { ($0.remoteAddress, $0.remotePort, $0.localPort) }
    #expect(theirs == ("127.0.0.1", listener.port, ours.1))
    #expect(ours == ("127.0.0.1", theirs.2, listener.port))
    let ids = try await (client.with { $0.id }, server.with { $0.id })
    #expect(ids.0 != ids.1)
    #expect(ids.0 > 0 && ids.1 > 0)
  }

  @Test func startTLS() async throws {
    let context = server
    let listener = try await Server.start { recorder in
      recorder.onReceived = { connection, bytes in
        guard bytes == Array("<starttls/>".utf8) else { return }
        connection.write(Array("<proceed/>".utf8))
        connection.startTLS(context)
        connection.write(Array("kept".utf8))
      }
    }
    let other = client
    let client = try await dial(listener.endpoint) { recorder in
      recorder.onReceived = { connection, bytes in
        guard bytes == Array("<proceed/>".utf8) else { return }
        connection.startTLS(other, serverName: "server.test")
        connection.write(Array("hello".utf8))
      }
    }
    try await client.write("<starttls/>")
    let server = try await listener.connection()
    #expect(try await server.received(16) == Array("<starttls/>hello".utf8))
    #expect(try await client.received(14) == Array("<proceed/>kept".utf8))
    #expect(try await client.session().peer?.trust == .trusted)
    #expect(server.calls == ["received", "secured", "received"])
  }

  /// CVE-2011-0411: what came before TLS must not be taken for what came under it.
  @Test func injectedBytesEndTheConnection() async throws {
    let context = server
    let listener = try await Server.start { $0.onReceived = { connection, _ in connection.pauseReading() } }
    let client = try await dial(listener.endpoint)
    try await client.write("<starttls/>")
    let server = try await listener.connection()
    _ = try await server.received(11)
    try await client.write("<injected/>")
    try await server.with { $0.startTLS(context) }
    #expect(try await server.reason() == .tls("peer does not speak TLS here"))
    #expect(server.text == Array("<starttls/>".utf8))
  }

  @Test func whatCameBeforeTheHandlerIsRefusedAtStartTLS() async throws {
    let context = client
    let listener = try await Server.start()
    let received = loop.makePromise(of: CloseReason.self)
    let endpoint = listener.endpoint
    try await onLoop {
      Dialler.connect(to: [endpoint], on: loop) { result in
        guard case .success(let (connection, _)) = result else { return received.succeed(.local) }
        let recorder = Recorder()
        // Nobody reads until some of the server's greeting has come.
        func look() {
          if connection.bytesReceived == 0 { return later(look) }
          connection.startTLS(context)
          recorder.attach(connection)
          recorder.closed.futureResult.cascade(to: received)
        }
        look()
      }
    }
    let server = try await listener.connection()
    try await server.write("too early")
    #expect(try await received.futureResult.get() == .tls("peer sent data in the clear after STARTTLS"))
  }

  @Test func bytesWaitForTheHandler() async throws {
    let listener = try await Server.start()
    let received = loop.makePromise(of: [UInt8].self)
    let endpoint = listener.endpoint
    try await onLoop {
      Dialler.connect(to: [endpoint], on: loop) { result in
        guard case .success(let (connection, _)) = result else { return received.fail(Closed(reason: .local)) }
        let recorder = Recorder()
        func look() {
          if connection.bytesReceived == 0 { return later(look) }
          recorder.onReceived = { _, bytes in received.succeed(bytes) }
          recorder.attach(connection)
        }
        look()
      }
    }
    let server = try await listener.connection()
    try await server.write("welcome")
    #expect(try await received.futureResult.get() == Array("welcome".utf8))
  }

  @Test(arguments: [false, true])
  func smallWritesGoOutTogether(_ tls: Bool) async throws {
    let (server, client) = tls ? try await secured() : try await clear()
    let before = try await client.with { $0.bytesSent }
    let stanza = Array("<presence to='a@b'/>".utf8)
    let count = 10_000
    try await client.with { connection in for _ in 0..<count { connection.write(stanza) } }
    let text = try await server.received(count * stanza.count)
    #expect(text.count == count * stanza.count)
    #expect(text.suffix(stanza.count) == stanza[...])
    let sent = try await client.with { $0.bytesSent } - before
    // 200,000 octets are 13 full records and at most one short one for each flush; 22 octets around each.
    #expect(sent - text.count <= (tls ? 17 * 22 : 0))
  }

  /// Sends `total` octets as fast as the connection takes them.
  private static func pour(_ total: Int, into recorder: Recorder) async throws {
    try await onLoop {
      nonisolated(unsafe) var left = total
      let chunk = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
      func fill() {
        guard let connection = recorder.connection else { return }
        while left > 0, connection.isWritable {
          connection.write(Array(chunk.prefix(left)))
          left -= min(left, chunk.count)
        }
      }
      recorder.onWritability = { _ in fill() }
      fill()
    }
  }

  @Test(arguments: [false, true])
  func muchBothWays(_ tls: Bool) async throws {
    let (server, client) = tls ? try await secured() : try await clear()
    let total = 8_000_000
    try await Self.pour(total, into: server)
    try await Self.pour(total, into: client)
    for text in try await [server.received(total), client.received(total)] {
      #expect(text.count == total)
      // The chunk of 50,000 begins again and again.
      #expect(
        stride(from: 0, to: total, by: 4999).allSatisfy { text[$0] == UInt8(truncatingIfNeeded: $0 % 50_000 % 251) })
    }
  }

  @Test(arguments: [false, true])
  func pausedReaderStopsTheWriter(_ tls: Bool) async throws {
    let (server, client) = tls ? try await secured() : try await clear()
    try await server.with { $0.pauseReading() }
    let total = 40_000_000
    server.keeps = false
    try await Self.pour(total, into: client)
    // The kernel takes some megabytes, then the writer must wait.
    try await client.until { !$0.isWritable }
    let limit = ConnectionLimits().highWaterMark + 64 * 1024 + 50_000
    #expect(try await client.with { $0.pendingBytes } <= limit)
    #expect(try await client.with { $0.pendingBytes } >= ConnectionLimits().lowWaterMark)
    let taken = server.count
    #expect(taken < total)
    try await server.with { $0.resumeReading() }
    _ = try await server.received(total)
    #expect(server.count == total)
    #expect(client.writabilityChanges.contains(false))
    #expect(client.writabilityChanges.last == true)
    try await client.until { $0.pendingBytes == 0 }
  }

  /// Who writes on as soon as it may must not find itself in the middle of its own write.
  @Test(arguments: [false, true]) func writabilityIsToldBetweenWrites(_ tls: Bool) async throws {
    let (server, client) = tls ? try await secured() : try await clear()
    let told = try await client.with { [client] connection in
      connection.write([UInt8](repeating: 1, count: 300_000))
      return client.writabilityChanges
    }
    #expect(told.isEmpty)
    #expect(try await server.received(300_000).count == 300_000)
  }

  @Test func pausingFromWithinADelivery() async throws {
    let (server, client) = try await secured()
    try await onLoop { server.onReceived = { connection, _ in connection.pauseReading() } }
    try await client.with { $0.write([UInt8](repeating: 7, count: 200_000)) }
    _ = try await server.received(1)
    let first = server.deliveries
    #expect(first == 1)
    try await onLoop { server.onReceived = nil }
    try await server.with { $0.resumeReading() }
    #expect(try await server.received(200_000).count == 200_000)
  }

  /// A peer that ends its side is told of after everything it sent, however slow we read.
  @Test(arguments: [false, true])
  func endComesAfterPausedBytes(_ tls: Bool) async throws {
    let (server, client) = tls ? try await secured() : try await clear()
    try await server.with { $0.pauseReading() }
    try await client.with { connection in
      connection.write([UInt8](repeating: 1, count: 100_000))
      connection.close()
    }
    try await server.with { $0.resumeReading() }
    #expect(try await server.reason() == .remote)
    #expect(server.count == 100_000)
    #expect(try await client.reason() == .local)
  }

  @Test func closeSendsWhatIsQueued() async throws {
    let (server, client) = try await secured()
    try await server.with { connection in
      connection.write([UInt8](repeating: 1, count: 1_000_000))
      connection.close()
      // Too late.
      connection.write([2])
    }
    #expect(try await client.reason() == .remote)
    #expect(client.count == 1_000_000)
    #expect(try await server.reason() == .local)
    #expect(client.calls == ["secured", "received", "closed"])
  }

  @Test func answerToTheEndIsStillSent() async throws {
    let (server, client) = try await secured()
    try await onLoop {
      server.onReceived = { connection, _ in connection.write(Array("</stream>".utf8)) }
    }
    // As Connection.close does, but reading on: the last words arrive behind our close_notify.
    try await client.with { connection in
      connection.write(Array("</stream>".utf8))
      connection.close()
    }
    #expect(try await server.reason() == .remote)
    #expect(try await client.reason() == .local)
  }

  @Test func closeDeadline() async throws {
    var limits = ConnectionLimits()
    limits.closeDeadline = .milliseconds(50)
    let (server, client) = try await secured(limits: limits)
    try await client.with { $0.pauseReading() }
    try await server.with { connection in
      connection.write([UInt8](repeating: 1, count: 12_000_000))
      connection.close()
    }
    #expect(try await server.reason() == .local)
    try await client.with { $0.abort(.local) }
  }

  @Test func truncationIsNoEnd() async throws {
    let (server, client) = try await secured()
    try await client.with { $0.channel.close(promise: nil) }
    #expect(try await server.reason() == .reset("peer closed the connection without close_notify"))
    _ = try await client.reason()
  }

  /// RST: what the kernel still holds for the peer goes with it.
  @Test func abortIsAReset() async throws {
    let (server, client) = try await secured()
    try await server.with { $0.pauseReading() }
    try await client.with { connection in
      connection.write([UInt8](repeating: 1, count: 500_000))
      connection.abort(.limit("test"))
    }
    #expect(try await client.reason() == .limit("test"))
    try await server.with { $0.resumeReading() }
    guard case .reset(let text) = try await server.reason() else { return #expect(Bool(false), "no reset") }
    #expect(text.contains("reset"))
  }

  @Test func nothingFollowsAnAbort() async throws {
    let (server, client) = try await secured()
    try await onLoop { server.onReceived = { connection, _ in connection.abort(.limit("enough")) } }
    try await client.with { $0.write([UInt8](repeating: 1, count: 1_000_000)) }
    #expect(try await server.reason() == .limit("enough"))
    #expect(server.deliveries == 1)
    #expect(server.calls == ["secured", "received", "closed"])
    #expect(try await onLoop { server.connection?.handler == nil })
    _ = try await client.reason()
  }

  @Test func corruptRecord() async throws {
    let (server, client) = try await secured()
    // Straight into the channel, past the client's TLS.
    try await client.with { connection in
      connection.channel.writeAndFlush(
        ByteBuffer(bytes: [23, 3, 3, 0, 20] + [UInt8](repeating: 0, count: 20)), promise: nil)
    }
    guard case .tls = try await server.reason() else {
      Issue.record("not a TLS error")
      return
    }
    #expect(try await client.reason() == .tls("peer sent the alert: bad record mac"))
  }

  @Test func sendBufferCap() async throws {
    var limits = ConnectionLimits()
    limits.sendBufferCap = 1_000_000
    let (server, client) = try await clear(limits: limits)
    try await server.with { $0.pauseReading() }
    // Heeds nothing.
    try await client.with { connection in
      func push() {
        connection.write([UInt8](repeating: 1, count: 100_000))
        if connection.handler != nil { later(push) }
      }
      push()
    }
    #expect(try await client.reason() == .limit("more than 1000000 bytes wait for the peer to read"))
  }

  @Test func writeStallDeadline() async throws {
    var limits = ConnectionLimits()
    limits.writeStallDeadline = .milliseconds(50)
    let (server, client) = try await secured(limits: limits)
    try await server.with { $0.pauseReading() }
    try await Self.pour(40_000_000, into: client)
    #expect(try await client.reason() == .timeout("peer has not read what was sent for 50 ms"))
  }

  @Test func startTLSTwice() async throws {
    let (server, _) = try await secured()
    let context = self.server
    try await server.with { $0.startTLS(context) }
    #expect(try await server.reason() == .tls("TLS was started twice"))
  }
}

/// In another turn of the loop, with time for its sockets in between.
func later(_ body: @escaping () -> Void) {
  loop.assumeIsolated().scheduleTask(in: .milliseconds(1), body)
}

extension Recorder {
  /// Looks once in every turn of the loop.
  func until(_ condition: @escaping @Sendable (Connection) -> Bool) async throws {
    while try await !with(condition) { await Task.yield() }
  }
}
