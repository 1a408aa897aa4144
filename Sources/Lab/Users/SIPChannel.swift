import Foundation

/// How a user agent's bytes come and go: one UDP port, or a TCP connection to the proxy and a port to be called on.
final class SIPChannel: @unchecked Sendable {
  enum Kind: String, Sendable { case udp = "UDP", tcp = "TCP" }

  /// A message, when it was whole, and the way back to where it came from.
  struct Arrival: Sendable {
    let message: SIPText
    let at: ContinuousClock.Instant
    let reply: @Sendable ([UInt8]) -> Void
  }

  let kind: Kind
  /// The port of Contact and Via.
  let port: Int

  private let proxyPort: Int
  private let own: Descriptor
  private let outgoing: Descriptor?

  init(
    _ kind: Kind, port fixed: Int?, proxyPort: Int, deliver: @escaping @Sendable (Arrival) -> Void
  ) throws {
    self.kind = kind
    self.proxyPort = proxyPort
    port = try fixed ?? Loopback.freePort()
    own = Descriptor(try Loopback.bound(kind == .udp ? SOCK_DGRAM : SOCK_STREAM, port: port))
    switch kind {
    case .udp:
      outgoing = nil
      Self.readDatagrams(own, deliver)
    case .tcp:
      let connection = Descriptor(try Loopback.connect(proxyPort))
      outgoing = connection
      Self.readStream(connection, deliver)
      startThread("sip accept \(port)") { [own] in
        while case let fd = accept(own.number, nil, nil), fd >= 0 { Self.readStream(Descriptor(fd), deliver) }
      }
    }
  }

  deinit {
    own.hangUp()
    outgoing?.hangUp()
  }

  func send(_ bytes: [UInt8]) {
    if let outgoing {
      writeAll(outgoing.number, bytes)
    } else {
      _ = Loopback.withAddress(proxyPort) { sendto(own.number, bytes, bytes.count, 0, $0, $1) }
    }
  }

  private static func readDatagrams(_ socket: Descriptor, _ deliver: @escaping @Sendable (Arrival) -> Void) {
    startThread("sip udp") {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        var from = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &from) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            recvfrom(socket.number, &buffer, buffer.count, 0, $0, &length)
          }
        }
        // 0: woken by `hangUp`; a datagram of four bytes or fewer is a keep-alive.
        if count <= 0 { return }
        guard let (message, _) = SIPText.parse(Array(buffer[..<count])) else { continue }
        let sender = Int(UInt16(bigEndian: from.sin_port))
        deliver(
          Arrival(message: message, at: .now) { bytes in
            _ = Loopback.withAddress(sender) { sendto(socket.number, bytes, bytes.count, 0, $0, $1) }
          })
      }
    }
  }

  private static func readStream(_ socket: Descriptor, _ deliver: @escaping @Sendable (Arrival) -> Void) {
    startThread("sip tcp") {
      var buffer: [UInt8] = []
      while let bytes = readSome(socket.number) {
        buffer += bytes
        let now = ContinuousClock.now
        while true {
          // CRLF between messages: keep-alive (RFC 5626 §3.5.1).
          buffer.removeFirst(buffer.prefix { $0 == 13 || $0 == 10 }.count)
          guard let (message, length) = SIPText.parse(buffer) else { break }
          buffer.removeFirst(length)
          deliver(Arrival(message: message, at: now) { writeAll(socket.number, $0) })
        }
      }
    }
  }
}
