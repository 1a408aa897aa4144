import Foundation
import NIOCore
import Transport

/// A connection of somebody who minds no protocol: says any bytes, in the clear or under TLS, and keeps all that it
/// hears. Callable from any thread.
package final class HostileConnection: @unchecked Sendable {
  private let loop: any EventLoop
  private let lock = NSLock()
  private var bytes: [UInt8] = []
  /// How much of `bytes` was asked for already.
  private var taken = 0
  private var isSecured = false
  private var closed: String?
  /// Confined to the loop.
  private var connection: Connection?
  private var pouring: Pouring?
  private var unsaid = 0

  /// Much to say, as fast as the other side takes it.
  private struct Pouring {
    let portion: [UInt8]
    var left: Int
  }

  package init(on loop: any EventLoop) { self.loop = loop }

  /// - Parameter tls: starts TLS with the first byte.
  package static func open(
    _ port: Int, tls: TLSContext? = nil, serverName: String? = nil, on loop: any EventLoop
  ) async throws -> HostileConnection {
    let peer = HostileConnection(on: loop)
    let up = loop.makePromise(of: Void.self)
    loop.execute {
      Dialler.connect(to: [Endpoint(host: "gateway", address: "127.0.0.1", port: port, tls: false)], on: loop) {
        switch $0 {
        case .success(let (connection, _)):
          peer.adopt(connection)
          if let tls { connection.startTLS(tls, serverName: serverName) }
          up.succeed()
        case .failure(let error): up.fail(error)
        }
      }
    }
    try await up.futureResult.get()
    if tls != nil { try await peer.secured() }
    return peer
  }

  /// On the loop.
  func adopt(_ connection: Connection) {
    self.connection = connection
    connection.handler = self
  }

  private func onLoop(_ body: @escaping @Sendable (Connection) -> Void) {
    loop.execute { [self] in
      if let connection { body(connection) }
    }
  }

  // MARK: Saying

  package func send(_ text: String) { send(Array(text.utf8)) }

  package func send(_ bytes: [UInt8]) { onLoop { $0.write(bytes) } }

  /// Says `portion` again and again, `total` bytes in all unless it is cut off before.
  package func pour(_ portion: [UInt8], total: Int) {
    onLoop { [self] _ in
      pouring = Pouring(portion: portion, left: total)
      pourOn()
    }
  }

  private func pourOn() {
    guard let connection, var pouring else { return }
    while pouring.left > 0, connection.isWritable {
      connection.write(pouring.portion)
      pouring.left -= pouring.portion.count
    }
    self.pouring = pouring.left > 0 ? pouring : nil
  }

  /// Reads no more: our window fills, then what the other side keeps for us.
  package func stopReading() { onLoop { $0.pauseReading() } }

  package func startTLS(_ context: TLSContext, serverName: String? = nil) async throws {
    onLoop { [self] connection in
      lock.withLock { taken = bytes.count }
      connection.startTLS(context, serverName: serverName)
    }
    try await secured()
  }

  private func secured() async throws {
    let isUp = try await waitFor(within: Self.patience) {
      self.lock.withLock { self.isSecured ? true : self.closed.map { _ in false } }
    }
    guard isUp == true else { throw LabError("no TLS: \(end ?? "no answer")") }
  }

  package func hangUp() { onLoop { $0.abort(.local) } }

  // MARK: Hearing

  /// Generous beside what is waited for: the machine may be busy.
  package static let patience = Duration.seconds(15)

  /// What came and was not asked for yet.
  package var heard: String { lock.withLock { String(decoding: bytes[taken...], as: UTF8.self) } }

  /// Why it is over; nil while it is not.
  package var end: String? { lock.withLock { closed } }

  /// Waits until `text` came, and takes it with what stood before.
  @discardableResult
  package func hear(_ text: String, within limit: Duration = patience) async throws -> String {
    let wanted = Array(text.utf8)
    let found = try await waitFor(within: limit) { () -> String?? in
      if let said = self.take(through: wanted) { return .some(said) }
      return self.end == nil ? nil : .some(nil)
    }
    guard let said = found ?? nil else { throw LabError("no \(text) but \(heard.suffix(400)) (\(end ?? "open"))") }
    return said
  }

  private func take(through wanted: [UInt8]) -> String? {
    lock.withLock {
      guard bytes.count - taken >= wanted.count else { return nil }
      let rest = bytes[taken...]
      guard let range = rest.firstRange(of: wanted) else { return nil }
      defer { taken = range.upperBound }
      return String(decoding: rest[..<range.upperBound], as: UTF8.self)
    }
  }

  /// Waits for the end of the connection; what was said before it and was not asked for.
  @discardableResult
  package func ending(within limit: Duration = patience) async throws -> String {
    guard try await waitUntil(within: limit, { self.end != nil }) else {
      throw LabError("still connected after \(limit); heard: \(heard.suffix(400))")
    }
    return heard
  }

  /// The condition of a `<stream:error/>` in `text` (RFC 6120 §4.9.2).
  package static func streamError(in text: String) -> String? {
    guard let start = text.range(of: "<stream:error")?.upperBound else { return nil }
    guard let name = text[start...].range(of: "<") else { return nil }
    return String(text[name.upperBound...].prefix { $0 != " " && $0 != "/" && $0 != ">" })
  }
}

extension HostileConnection: ConnectionHandler {
  package func connectionSecured(_ connection: Connection, session: TLSSession) {
    lock.withLock { isSecured = true }
  }

  package func connection(_ connection: Connection, received buffer: UnsafeRawBufferPointer) {
    lock.withLock { bytes.append(contentsOf: buffer) }
  }

  package func connectionWritabilityChanged(_ connection: Connection) { pourOn() }

  package func connectionClosed(_ connection: Connection, reason: CloseReason) {
    self.connection = nil
    if let pouring { unsaid = pouring.left + connection.pendingBytes }
    pouring = nil
    lock.withLock { closed = reason.description }
  }

  /// What is left to pour.
  package func unpoured() async throws -> Int {
    try await loop.submit { [self] in unsaid }.get()
  }
}
