import Foundation

/// A socket that is closed when nobody holds it any more. A reader thread holds it too, so its number cannot be given
/// to another connection under that thread's hands: to end a connection, `hangUp`; the reader then lets go.
package final class Descriptor: Sendable {
  package let number: Int32
  package init(_ number: Int32) { self.number = number }
  deinit { close(number) }

  package func hangUp() { shutdown(number, Int32(SHUT_RDWR)) }
}

/// Writes all of `bytes`; false when the other side is gone.
@discardableResult
package func writeAll(_ fd: Int32, _ bytes: [UInt8]) -> Bool {
  bytes.withUnsafeBytes { buffer in
    var offset = 0
    while offset < buffer.count {
      let sent = send(fd, buffer.baseAddress! + offset, buffer.count - offset, Int32(MSG_NOSIGNAL))
      if sent < 0 && errno == EINTR { continue }
      if sent <= 0 { return false }
      offset += sent
    }
    return true
  }
}

/// The next bytes of a stream socket; nil at its end.
package func readSome(_ fd: Int32) -> [UInt8]? {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = recv(fd, &buffer, buffer.count, 0)
    if count < 0 && errno == EINTR { continue }
    return count > 0 ? Array(buffer[..<count]) : nil
  }
}

/// A thread of its own for blocking work, so that none of Swift's few shared threads is held.
package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
  let thread = Thread(block: body)
  thread.name = name
  thread.stackSize = 1 << 19
  thread.start()
}
