import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix

/// The HTTP endpoint for machines that watch: `/metrics`, `/healthz` (the process lives), `/readyz` (what it needs to serve
/// is there). Reads only; bind it to an address that only the watchers reach.
package final class AdminEndpoint: Sendable {
  /// One part of the gateway as `/readyz` reports it.
  package struct Component: Sendable {
    package var name: String
    package var isReady: Bool
    package var text: String

    package init(name: String, isReady: Bool, text: String) {
      self.name = name
      self.isReady = isReady
      self.text = text
    }
  }

  package struct Content: Sendable {
    package var metrics: @Sendable (any EventLoop) -> EventLoopFuture<[UInt8]>
    package var readiness: @Sendable (any EventLoop) -> EventLoopFuture<[Component]>

    package init(
      metrics: @escaping @Sendable (any EventLoop) -> EventLoopFuture<[UInt8]>,
      readiness: @escaping @Sendable (any EventLoop) -> EventLoopFuture<[Component]>
    ) {
      self.metrics = metrics
      self.readiness = readiness
    }
  }

  package struct Limits: Sendable {
    /// Connections at a time; more are closed at once.
    package var connections = 64
    /// How long a connection may take for a complete request, the first as well as the next.
    package var request = TimeAmount.seconds(30)

    package init() {}
  }

  private let channel: any Channel

  package var port: Int { channel.localAddress?.port ?? 0 }

  private init(channel: any Channel) { self.channel = channel }

  /// - Parameter address: numeric; names are not looked up.
  package static func start(
    address: String, port: Int, on group: any EventLoopGroup, content: Content, limits: Limits = Limits()
  ) -> EventLoopFuture<AdminEndpoint> {
    let open = OpenConnections(limit: limits.connections)
    let loop = group.next()
    guard let socketAddress = try? SocketAddress(ipAddress: address, port: port) else {
      return loop.makeFailedFuture(BindFailure(description: "\(address) port \(port): not an address and port"))
    }
    return ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard open.enter() else { throw TooManyConnections() }
          channel.closeFuture.whenComplete { _ in open.leave() }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
          try pipeline.addHandler(RequestHandler(content: content, deadline: limits.request))
        }
      }
      .bind(to: socketAddress)
      .flatMapErrorThrowing { throw BindFailure(description: "metrics: \(address) port \(port): \($0)") }
      .map { AdminEndpoint(channel: $0) }
  }

  package func stop() -> EventLoopFuture<Void> { channel.close() }
}

struct TooManyConnections: Error {}

/// The address and port are not to be had.
package struct BindFailure: Error, CustomStringConvertible {
  package var description: String
}
