import Foundation

/// A network of its own, joined to ours by a pair of virtual interfaces, so that packets can be lost in earnest: sockets made
/// `inside` speak to ours through the pair until `drop` says that it swallows what they say. Needs root.
///
/// The addresses are of the range for benchmarks (RFC 2544, 198.18.0.0/15), which no machine has.
package final class NetworkNamespace: @unchecked Sendable {
  package let name: String
  /// Of our end of the pair, and of the other.
  package let outside: String
  package let inside: String
  private let tool: Tool
  private let workspace: Workspace

  package init(in workspace: Workspace) async throws {
    self.workspace = workspace
    tool = try Tool.find("ip", package: "iproute2")
    _ = try Tool.find("nft", package: "nftables")
    name = "dblab" + String(UInt32.random(in: 0x10_0000...0xff_ffff), radix: 16)
    let network = "198.\(Int.random(in: 18...19)).\(Int.random(in: 0...255))."
    let host = Int.random(in: 0...63) * 4
    (outside, inside) = ("\(network)\(host + 1)", "\(network)\(host + 2)")
    Lifeline.shared.tell("net", name)
    do {
      try await ip("netns", "add", name)
      try await ip("link", "add", "\(name)a", "type", "veth", "peer", "name", "\(name)b", "netns", name)
      try await ip("address", "add", "\(outside)/30", "dev", "\(name)a")
      try await ip("link", "set", "\(name)a", "up")
      try await ip("-n", name, "address", "add", "\(inside)/30", "dev", "\(name)b")
      try await ip("-n", name, "link", "set", "\(name)b", "up")
    } catch {
      await close()
      throw LabError(
        "no network namespace can be made here, and without one no packet can be lost. It takes root (CAP_NET_ADMIN and "
          + "CAP_SYS_ADMIN) and a kernel with veth and nf_tables. \(error)")
    }
  }

  /// Loses every packet from or to these ports from now on, without a word to anybody. None: all pass again.
  package func drop(ports: [Int]) async throws {
    let list = ports.map(String.init).joined(separator: ", ")
    let rules = ports.isEmpty ? "" : "tcp dport { \(list) } drop; tcp sport { \(list) } drop;"
    let file = try workspace.write(
      "\(name).nft",
      """
      table inet lab {}
      delete table inet lab
      table inet lab {
        chain in { type filter hook input priority 0; policy accept; \(rules) }
        chain out { type filter hook output priority 0; policy accept; \(rules) }
      }

      """)
    try await ip("netns", "exec", name, "nft", "-f", file)
  }

  /// Runs `body` on a thread that is in the namespace: sockets that it makes are there, for good.
  package func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    guard let enter = Hidden.setNamespace else { throw LabError("no setns in this C library") }
    let path = "/run/netns/\(name)"
    let result = Outcome<T>()
    let done = DispatchSemaphore(value: 0)
    startThread("in \(name)") {
      result.value = Result {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw LabError("\(path): \(String(cString: strerror(errno)))") }
        defer { Glibc.close(file) }
        guard enter(file, 0) == 0 else { throw LabError("setns \(path): \(String(cString: strerror(errno)))") }
        return try body()
      }
      done.signal()
    }
    done.wait()
    return try result.value!.get()
  }

  package func close() async {
    // The pair first: the namespace itself lives on while a socket does.
    _ = try? await ip("link", "delete", "\(name)a")
    _ = try? await ip("netns", "delete", name)
    Lifeline.shared.tell("unnet", name)
  }

  private func ip(_ arguments: String...) async throws { try await tool.run(arguments, in: workspace) }

  private final class Outcome<T>: @unchecked Sendable {
    var value: Result<T, any Error>?
  }
}
