import COpenSSL
package import NIOCore
import NIOPosix

/// Accepts connections on one address and port.
package final class Listener: Sendable {
  /// The port it listens on, chosen by the kernel if 0 was asked for.
  package let localPort: Int
  private let channel: any Channel
  private let state: NIOLoopBound<State>

  /// What belongs to the event loop.
  private final class State {
    var gate: ListenerGate
    let accept: (Connection) -> (any ConnectionHandler)?
    let refused: ((ListenerLimit) -> Void)?
    let directTLS: TLSContext?
    /// The most connections since memory was given back.
    var peak = 0

    init(
      _ limits: ListenerLimits, directTLS: TLSContext?, refused: ((ListenerLimit) -> Void)?,
      accept: @escaping (Connection) -> (any ConnectionHandler)?
    ) {
      gate = ListenerGate(limits, now: .now())
      self.directTLS = directTLS
      self.refused = refused
      self.accept = accept
    }
  }

  private init(_ channel: any Channel, _ state: NIOLoopBound<State>) {
    self.channel = channel
    self.state = state
    localPort = channel.localAddress?.port ?? 0
  }

  /// Starts to listen. Must be called on `loop`, where `accept` and `refused` are called too.
  ///
  /// Running out of file descriptors stops accepting for a second at a time (NIO's back-off), it does not spin.
  /// - Parameters:
  ///   - address: numeric; `::` stands for all of IPv6 and nothing else.
  ///   - directTLS: starts TLS with the first byte.
  ///   - refused: a connection was over a limit and closed at once.
  ///   - accept: gives the connection its handler; nil closes it.
  package static func bind(
    address: String, port: Int, on loop: any EventLoop, limits: ListenerLimits = ListenerLimits(),
    connectionLimits: ConnectionLimits = ConnectionLimits(), directTLS: TLSContext? = nil,
    refused: ((ListenerLimit) -> Void)? = nil, accept: @escaping (Connection) -> (any ConnectionHandler)?
  ) -> EventLoopFuture<Listener> {
    let state = NIOLoopBound(
      State(limits, directTLS: directTLS, refused: refused, accept: accept), eventLoop: loop)
    let socketAddress: SocketAddress
    do {
      guard let numeric = IPAddress(address), (0...65535).contains(port) else {
        throw AddressError("\(address) port \(port): not an IP address and port")
      }
      socketAddress = try SocketAddress(ipAddress: numeric.text, port: port)
    } catch {
      return loop.makeFailedFuture(error)
    }
    var bootstrap = ServerBootstrap(group: loop)
    if case .v6 = socketAddress {
      // `::` is IPv6 only, whatever the system's default, so that 0.0.0.0 can be listened on as well.
      bootstrap = bootstrap.serverChannelOption(
        ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
    }
    return
      bootstrap
      .serverChannelOption(.backlog, value: limits.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try ChannelSettings.apply(to: channel, connectionLimits)
          let connection = Connection(channel: channel, limits: connectionLimits)
          let bridge = ChannelBridge(connection: connection) { admit($0, state) }
          try channel.pipeline.syncOperations.addHandler(bridge)
        }
      }
      .bind(to: socketAddress)
      .map { Listener($0, state) }
      .flatMapErrorThrowing { throw AddressError("\(address) port \(port): \(SystemError.text($0))") }
  }

  /// So many connections leave memory worth giving back behind. The C library would keep it for itself.
  private static let crowd = 100

  private static func admit(_ connection: Connection, _ bound: NIOLoopBound<State>) {
    let state = bound.value
    // A peer that is gone already has no address.
    guard let address = IPAddress(connection.remoteAddress) else { return connection.abort(.reset("gone at once")) }
    let source = ListenerGate.Source(address)
    if let limit = state.gate.enter(source, now: .now()) {
      state.refused?(limit)
      return connection.abort(.limit("listener: \(limit.rawValue)"))
    }
    state.peak = max(state.peak, state.gate.count)
    connection.onClosed = { [eventLoop = connection.eventLoop] in
      state.gate.leave(source)
      guard state.peak - state.gate.count >= crowd else { return }
      state.peak = state.gate.count
      // After the closing of this connection, which frees the most.
      eventLoop.execute { shim_malloc_trim() }
    }
    guard let handler = state.accept(connection) else { return connection.abort(.local) }
    connection.handler = handler
    if let context = state.directTLS { connection.startTLS(context) }
  }

  /// Connections that were accepted here and are not closed yet. Only on the loop.
  package var connectionCount: Int { state.value.gate.count }

  /// Accepts no more. Connections that exist go on. From any thread.
  @discardableResult
  package func stop() -> EventLoopFuture<Void> {
    channel.close().flatMapErrorThrowing { error in
      guard case ChannelError.alreadyClosed = error else { throw error }
    }
  }
}

/// A listener cannot listen, or an address cannot be used. Says which and why.
package struct AddressError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
