import Foundation

/// A wire that can be cut: passes TCP connections on to another port until told otherwise.
package final class TCPRelay: @unchecked Sendable {
  package enum State: Sendable {
    case passing
    /// Connections stay open and nothing comes through, neither then nor later: those connections are lost.
    case swallowing
    /// Every connection is reset, a new one as soon as it is there.
    case refusing
    /// A balancer with nobody behind it: takes connections and closes them in the orderly way.
    case closing
    /// Nobody listens.
    case down
  }

  /// Where one side of it is. `namespace`: in which its sockets are, nil: in ours.
  package struct Place: Sendable {
    package var address = Loopback.address
    package var port: Int
    package var namespace: NetworkNamespace?

    package init(port: Int) { self.port = port }

    /// Listening: at the far end of the pair, where we reach it only through the pair.
    package static func inside(_ namespace: NetworkNamespace, port: Int) -> Place {
      var place = Place(port: port)
      (place.address, place.namespace) = (namespace.inside, namespace)
      return place
    }

    /// Connecting: from the far end of the pair to a port of ours.
    package static func outside(_ namespace: NetworkNamespace, port: Int) -> Place {
      var place = Place(port: port)
      (place.address, place.namespace) = (namespace.outside, namespace)
      return place
    }

    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
      if let namespace { try namespace.run(body) } else { try body() }
    }
  }

  package var port: Int { source.port }
  private let source: Place
  private let target: Place
  private let lock = NSLock()
  private var listener: Descriptor?
  private var state = State.passing
  private var pairs: [ObjectIdentifier: Pair] = [:]

  /// For a connection to the target; through a network that drops packets it would take minutes.
  private static let connectLimit = Duration.seconds(3)

  private final class Pair: @unchecked Sendable {
    let near: Descriptor
    let far: Descriptor
    /// Once it swallowed something it can never pass again.
    var broken = false
    /// Directions that have come to their end.
    var ended = 0

    init(near: Descriptor, far: Descriptor) {
      self.near = near
      self.far = far
    }

    func reset() {
      near.reset()
      far.reset()
    }
  }

  package convenience init(to target: Int) throws {
    try self.init(from: Place(port: try Loopback.freePort()), to: Place(port: target))
  }

  package init(from source: Place, to target: Place) throws {
    self.source = source
    self.target = target
    try listen()
  }

  deinit {
    listener?.hangUp()
    for pair in pairs.values { pair.reset() }
  }

  package func set(_ new: State) throws {
    let old = lock.withLock { () -> State in
      defer { state = new }
      switch new {
      case .passing, .swallowing: break
      case .refusing, .closing, .down: resetAll()
      }
      if new == .down {
        listener?.hangUp()
        listener = nil
      }
      return state
    }
    if old == .down, new != .down { try listen() }
  }

  /// Resets every connection (RST, as after a crash of a firewall's table); new ones pass.
  package func cut() { lock.withLock { resetAll() } }

  private func resetAll() {
    for pair in pairs.values { pair.reset() }
    pairs.removeAll()
  }

  private func listen() throws {
    let (address, port) = (source.address, source.port)
    let fresh = Descriptor(try source.run { try Loopback.bound(SOCK_STREAM, port: port, address: address) })
    lock.withLock { listener = fresh }
    startThread("relay \(port)") { [weak self] in
      while case let fd = accept(fresh.number, nil, nil), fd >= 0 {
        let near = Descriptor(fd)
        guard let self else { return }
        startThread("relay \(port) join") { self.join(near) }
      }
    }
  }

  private func join(_ near: Descriptor) {
    switch lock.withLock({ state }) {
    case .refusing, .down: return near.reset()
    case .closing:
      // Reads what comes, or the end would be a reset.
      shutdown(near.number, Int32(SHUT_WR))
      while readSome(near.number) != nil {}
      return
    case .passing, .swallowing: break
    }
    let (address, port) = (target.address, target.port)
    let far = try? target.run { try Loopback.connect(port, address: address, within: Self.connectLimit) }
    guard let far else { return near.reset() }
    let pair = Pair(near: near, far: Descriptor(far))
    lock.withLock { pairs[ObjectIdentifier(pair)] = pair }
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
      self.lock.withLock {
        // While it swallows, an end is swallowed as well.
        if self.state == .swallowing { pair.broken = true }
        guard !pair.broken else { return }
        pair.ended += 1
        if pair.ended == 2 { self.pairs[ObjectIdentifier(pair)] = nil }
        shutdown(target.number, Int32(SHUT_WR))
      }
    }
  }
}

extension Descriptor {
  /// RST instead of FIN, as soon as nobody holds the descriptor any longer.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    // Ends the reader, without telling the peer yet.
    shutdown(number, Int32(SHUT_RD))
  }
}
