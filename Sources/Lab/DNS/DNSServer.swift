import Foundation

/// An authoritative name server for everything, on 127.0.0.1, UDP and TCP: what it was not told does not exist.
package final class DNSServer: @unchecked Sendable {
  package enum Trouble: Sendable {
    case servfail
    /// Takes the question and says nothing.
    case silence
  }

  package let port: Int
  /// As libunbound and Drawbridge's configuration write it.
  package var server: String { "127.0.0.1@\(port)" }

  private let udp: Descriptor
  private let tcp: Descriptor
  private let lock = NSLock()
  private var zone: [String: [DNSRecord]] = [:]
  private var troubles: [String: Trouble] = [:]
  private var asked: [String] = []

  package init() throws {
    port = try Loopback.freePort()
    udp = Descriptor(try Loopback.bound(SOCK_DGRAM, port: port))
    tcp = Descriptor(try Loopback.bound(SOCK_STREAM, port: port))
    startThread("dns udp") { [weak self, udp] in
      var from = sockaddr_in()
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &from) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            recvfrom(udp.number, &buffer, buffer.count, 0, $0, &length)
          }
        }
        guard let self, count >= 0 else { return }
        guard let answer = self.answer(Array(buffer[..<count])) else { continue }
        withUnsafePointer(to: &from) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = sendto(udp.number, answer, answer.count, 0, $0, length)
          }
        }
      }
    }
    startThread("dns tcp") { [weak self, tcp] in
      while case let connection = accept(tcp.number, nil, nil), connection >= 0 {
        // One question for each connection is all that the lab's resolvers ask.
        if let bytes = readSome(connection), bytes.count > 2, let answer = self?.answer(Array(bytes[2...])) {
          writeAll(connection, DNSWire.encode16(answer.count) + answer)
        }
        close(connection)
      }
    }
  }

  deinit {
    // Wakes the threads, although nothing is connected here.
    udp.hangUp()
    tcp.hangUp()
  }

  package func set(_ name: String, _ records: [DNSRecord]) {
    lock.withLock {
      zone[name.lowercased()] = records
      troubles[name.lowercased()] = nil
    }
  }

  package func fail(_ name: String, _ trouble: Trouble) {
    lock.withLock { troubles[name.lowercased()] = trouble }
  }

  /// A host on loopback, and the SRV records that lead there (RFC 6120 §3.2.1, XEP-0368).
  /// - Parameter host: nil: `xmpp.DOMAIN`.
  package func setXMPP(_ domain: String, port: Int?, directTLS: Int? = nil, host: String? = nil) {
    let host = host ?? "xmpp.\(domain)"
    set(host, [.a(Loopback.address)])
    set(domain, [.a(Loopback.address)])
    set("_xmpp-server._tcp.\(domain)", port.map { [.srv(priority: 10, weight: 5, port: $0, target: host)] } ?? [])
    set("_xmpps-server._tcp.\(domain)", directTLS.map { [.srv(priority: 5, weight: 5, port: $0, target: host)] } ?? [])
  }

  /// RFC 3263 §4.2: SRV for a transport that is already chosen.
  package func setSIP(_ domain: String, tls: Int?, tcp: Int? = nil) {
    let host = "sip.\(domain)"
    set(host, [.a(Loopback.address)])
    set(domain, [.a(Loopback.address)])
    set("_sips._tcp.\(domain)", tls.map { [.srv(priority: 10, weight: 5, port: $0, target: host)] } ?? [])
    set("_sip._tcp.\(domain)", tcp.map { [.srv(priority: 10, weight: 5, port: $0, target: host)] } ?? [])
  }

  /// The port of a name's first SRV record.
  package func port(of service: String) -> Int? {
    lock.withLock { zone[service.lowercased()] }?.lazy.compactMap { record -> Int? in
      if case .srv(_, _, let port, _) = record { port } else { nil }
    }.first
  }

  /// Every name asked so far, oldest first.
  package var questions: [String] { lock.withLock { asked } }

  private func answer(_ bytes: [UInt8]) -> [UInt8]? {
    guard let query = DNSWire.parse(bytes) else { return nil }
    return lock.withLock {
      asked.append(query.name)
      switch troubles[query.name] {
      case .silence: return nil
      case .servfail: return DNSWire.answer(query, code: 2, records: [], soa: false)
      case nil: break
      }
      guard let all = zone[query.name] else {
        // A name with something below it exists, though it holds nothing (RFC 8020 §2).
        let exists = zone.keys.contains { $0.hasSuffix(".\(query.name)") }
        return DNSWire.answer(query, code: exists ? 0 : 3, records: [], soa: true)
      }
      let records = all.filter { $0.type == query.type || $0.type == 5 }
      return DNSWire.answer(query, code: 0, records: records, soa: records.isEmpty)
    }
  }
}
