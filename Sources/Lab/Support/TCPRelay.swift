import Foundation

/// A wire that can be cut: passes TCP connections on to another port until told to reset them, or to swallow what
/// they carry as a network does that drops packets.
package final class TCPRelay: @unchecked Sendable {
  package enum State: Sendable {
    case passing
    /// Connections stay open and nothing comes through, neither then nor later: those connections are lost.
    case swallowing
    /// Nobody listens, as far as a connecting side can see: it is reset at once.
    case refusing
  }

  package let port: Int
  private let target: Int
  private let listener: Descriptor
  private let lock = NSLock()
  private var state = State.passing
  private var pairs: [Pair] = []

  private final class Pair: @unchecked Sendable {
    let near: Descriptor
    let far: Descriptor
    /// Once it swallowed something it can never pass again.
    var broken = false

    init(near: Descriptor, far: Descriptor) {
      self.near = near
      self.far = far
    }

    func reset() {
      for end in [near, far] {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(end.number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        // Ends the reader; the reset goes out when it lets go of the descriptor.
        shutdown(end.number, Int32(SHUT_RD))
      }
    }
  }

  package init(to target: Int) throws {
    self.target = target
    port = try Loopback.freePort()
    listener = Descriptor(try Loopback.bound(SOCK_STREAM, port: port))
    startThread("relay \(port)") { [weak self, listener] in
      while case let fd = accept(listener.number, nil, nil), fd >= 0 {
        let near = Descriptor(fd)
        guard let self else { return }
        self.join(near)
      }
    }
  }

  deinit {
    listener.hangUp()
    for pair in pairs { pair.reset() }
  }

  package func set(_ new: State) {
    lock.withLock {
      state = new
      if new == .refusing { resetAll() }
    }
  }

  /// Resets every connection (RST, as after a crash of a firewall's table); new ones pass.
  package func cut() { lock.withLock { resetAll() } }

  private func resetAll() {
    for pair in pairs { pair.reset() }
    pairs.removeAll()
  }

  private func join(_ near: Descriptor) {
    guard lock.withLock({ state }) != .refusing, let fd = try? Loopback.connect(target) else { return }
    let pair = Pair(near: near, far: Descriptor(fd))
    lock.withLock { pairs.append(pair) }
    carry(pair, from: pair.near, to: pair.far)
    carry(pair, from: pair.far, to: pair.near)
  }

  private func carry(_ pair: Pair, from source: Descriptor, to target: Descriptor) {
    startThread("relay \(port) carry") { [weak self] in
      while let bytes = readSome(source.number) {
        guard let self else { break }
        let passes = self.lock.withLock { () -> Bool in
          if self.state == .swallowing { pair.broken = true }
          return !pair.broken
        }
        if passes && !writeAll(target.number, bytes) { break }
      }
      guard let self else { return }
      self.lock.withLock { if !pair.broken { target.hangUp() } }
    }
  }
}
