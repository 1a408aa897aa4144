import Foundation

/// Ports and connections on 127.0.0.1.
package enum Loopback {
  package static let address = "127.0.0.1"

  private static let lock = NSLock()
  nonisolated(unsafe) private static var given: Set<Int> = []

  /// Below Linux's ephemeral range (net.ipv4.ip_local_port_range), so that no outgoing connection can take a port
  /// between its being found here and its being bound by the process it is meant for.
  private static let range = 20_000..<32_000

  /// A port that is free for TCP and UDP, never given twice by this process.
  package static func freePort() throws -> Int {
    for _ in 0..<1000 {
      let port = Int.random(in: range)
      let fresh = lock.withLock { given.insert(port).inserted }
      if fresh && canBind(port, SOCK_STREAM) && canBind(port, SOCK_DGRAM) { return port }
    }
    throw LabError("no free loopback port between \(range.lowerBound) and \(range.upperBound)")
  }

  private static func canBind(_ port: Int, _ type: __socket_type) -> Bool {
    let fd = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { return false }
    defer { close(fd) }
    return withAddress(port) { bind(fd, $0, $1) } == 0
  }

  /// Whether somebody accepts connections there.
  package static func isListening(_ port: Int) -> Bool {
    guard let fd = try? connect(port) else { return false }
    close(fd)
    return true
  }

  /// A blocking TCP connection; the caller closes the descriptor.
  /// - Parameter limit: for the connection to come about; nil: the kernel's.
  package static func connect(
    _ port: Int, address: String = address, within limit: Duration? = nil
  ) throws -> Int32 {
    let fd = try openSocket(SOCK_STREAM)
    if let limit {
      var time = timeval(tv_sec: Int(limit.components.seconds), tv_usec: 0)
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    guard withAddress(port, address: address, { Glibc.connect(fd, $0, $1) }) == 0 else {
      let reason = String(cString: strerror(errno))
      close(fd)
      throw LabError("\(address):\(port): \(reason)")
    }
    var on: Int32 = 1
    setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    return fd
  }

  /// A socket bound to `port` (0: any); listening if it is a TCP one.
  package static func bound(_ type: __socket_type, port: Int, address: String = address) throws -> Int32 {
    let fd = try openSocket(type)
    var on: Int32 = 1
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    let isBound = withAddress(port, address: address, { bind(fd, $0, $1) }) == 0
    guard isBound, type != SOCK_STREAM || listen(fd, 64) == 0 else {
      let reason = String(cString: strerror(errno))
      close(fd)
      throw LabError("cannot bind \(address):\(port): \(reason)")
    }
    return fd
  }

  package static func localPort(of fd: Int32) -> Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  package static func withAddress<T>(
    _ port: Int, address text: String = address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
  ) -> T {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr(text)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private static func openSocket(_ type: __socket_type) throws -> Int32 {
    let fd = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { throw LabError("no socket: \(String(cString: strerror(errno)))") }
    return fd
  }
}
