import Foundation
import NIOCore
import Transport

/// Where the gateway expects a partner's server there is somebody who says anything. Hands out the first connection and
/// takes no more.
package final class HostileServer: @unchecked Sendable {
  package let port: Int
  private let loop: any EventLoop
  private let lock = NSLock()
  private var first: HostileConnection?
  /// Confined to the loop.
  private var listener: Listener?

  /// - Parameter directTLS: TLS begins with the first byte.
  package init(port: Int, on loop: any EventLoop, directTLS: TLSContext? = nil) async throws {
    self.port = port
    self.loop = loop
    try await loop.flatSubmit { [self] in
      Listener.bind(address: Loopback.address, port: port, on: loop, directTLS: directTLS) { [self] connection in
        listener?.stop()
        let peer = HostileConnection(on: loop)
        peer.adopt(connection)
        lock.withLock { if first == nil { first = peer } }
        return peer
      }.map { self.listener = $0 }
    }.get()
  }

  package func stop() { loop.execute { [self] in listener?.stop() } }

  /// Waits until the gateway has dialled.
  package func accepted() async throws -> HostileConnection {
    guard let peer = try await waitFor(within: HostileConnection.patience, { self.lock.withLock { self.first } }) else {
      throw LabError("the gateway does not dial port \(port)")
    }
    return peer
  }
}
