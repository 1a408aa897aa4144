import Glibc

/// A port of ours at which nobody answers.
struct UnansweredSocket {
  enum Kind {
    /// Bound but not listening: connecting is refused.
    case refusing
    /// Listening with a full queue: the kernel drops further SYNs, so that connecting takes for ever.
    case silent
  }

  private let descriptors: [Int32]
  let port: Int

  init(_ kind: Kind) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(listener, address, length)
        if kind == .silent { _ = listen(listener, 0) }
        _ = getsockname(listener, address, &length)
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    var all = [listener]
    // One fits into the queue of length 0; a few more to be sure.
    for _ in 0..<(kind == .silent ? 3 : 0) {
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(client, $0, length) }
      }
      all.append(client)
    }
    descriptors = all
  }

  func close() { for descriptor in descriptors { _ = Glibc.close(descriptor) } }
}
