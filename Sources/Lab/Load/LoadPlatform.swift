import NIOCore
import Transport

/// A SIP platform as the load tool plays it: takes MESSAGE from the gateway and answers 200, sends MESSAGE of its own.
/// Mutual TLS. Confined to its event loop, which is all that makes it Sendable.
package final class LoadPlatform: @unchecked Sendable {
  package let host: String
  let loop: any EventLoop
  let server: TLSContext
  let client: TLSContext
  private var listener: Listener?
  private var out: PlatformLink?
  /// Responses by branch: a retransmitted request gets the same one and is not heard again (RFC 3261 §17.2.2).
  private var answered: [String: [UInt8]] = [:]
  private var answeredOrder: [String] = []

  /// A new request from the gateway; the status to answer with.
  package var onRequest: ((WireSIP) -> Int)?
  /// A response to one of ours.
  package var onResponse: ((WireSIP) -> Void)?
  package var onConnected: (() -> Void)?
  package var onOutClosed: ((String) -> Void)?

  package init(host: String, certificate: Certificate, authority: String, on loop: any EventLoop) throws {
    self.host = host
    self.loop = loop
    let identity = try TLSIdentity(
      certificateFile: certificate.certificate, keyFile: certificate.key, domains: [host])
    server = try TLSContext.server(identities: [identity], trust: .file(authority), options: TLSOptions())
    client = try TLSContext.client(identity: identity, trust: .file(authority), options: TLSOptions())
  }

  package func listen(port: Int) -> EventLoopFuture<Void> {
    Listener.bind(address: "127.0.0.1", port: port, on: loop, limits: ListenerLimits(), directTLS: server) {
      [unowned self] connection in PlatformLink(platform: self, connection: connection)
    }.map { [self] in listener = $0 }
  }

  /// Opens the connection for requests of ours.
  package func dial(port: Int, serverName: String) {
    let endpoint = Endpoint(host: serverName, address: "127.0.0.1", port: port, tls: true)
    Dialler.connect(to: [endpoint], on: loop).whenComplete { [self] result in
      switch result {
      case .success(let (connection, _)):
        out = PlatformLink(platform: self, connection: connection)
        connection.startTLS(client, serverName: serverName)
      case .failure(let error): onOutClosed?("\(error)")
      }
    }
  }

  package func send(_ message: WireSIP) { out?.connection.write(message.bytes) }

  /// Gives the connection to the gateway up, as a server does that has heard nothing for too long.
  package func abandon() { out?.connection.abort(.timeout("no response")) }

  package func close() {
    listener?.stop()
    out?.connection.close()
  }

  fileprivate func received(_ message: WireSIP, on connection: Connection) {
    if message.isResponse {
      onResponse?(message)
      return
    }
    guard message.method != "ACK", let via = message["Via"] else { return }
    if let response = answered[via] { return connection.write(response) }
    let status = message.method == "MESSAGE" ? onRequest?(message) ?? 200 : 200
    let response = message.response(status, status < 300 ? "OK" : "Not Taken").bytes
    answered[via] = response
    answeredOrder.append(via)
    if answeredOrder.count > 20_000 {
      for via in answeredOrder.prefix(10_000) { answered[via] = nil }
      answeredOrder.removeFirst(10_000)
    }
    connection.write(response)
  }

  fileprivate func secured(_ link: PlatformLink) {
    if link === out { onConnected?() }
  }

  fileprivate func closed(_ link: PlatformLink, _ reason: CloseReason) {
    guard link === out else { return }
    out = nil
    onOutClosed?("\(reason)")
  }
}

final class PlatformLink: ConnectionHandler, @unchecked Sendable {
  unowned let platform: LoadPlatform
  let connection: Connection
  var framer = WireSIPFramer()

  init(platform: LoadPlatform, connection: Connection) {
    self.platform = platform
    self.connection = connection
    connection.handler = self
  }

  func connectionSecured(_ connection: Connection, session: TLSSession) { platform.secured(self) }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    for message in framer.feed(bytes) { platform.received(message, on: connection) }
  }

  func connectionWritabilityChanged(_ connection: Connection) {}
  func connectionClosed(_ connection: Connection, reason: CloseReason) { platform.closed(self, reason) }
}
