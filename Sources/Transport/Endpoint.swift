/// Where to connect to: one address of a server, found by the resolver or configured.
package struct Endpoint: Hashable, Sendable {
  /// The name that led here (an SRV target), for logs.
  package var host: String
  /// IPv4 or IPv6 address in text form.
  package var address: String
  package var port: Int
  /// Direct TLS (XEP-0368 §2, SIP over TLS): TLS starts with the first byte.
  package var tls: Bool

  package init(host: String, address: String, port: Int, tls: Bool) {
    self.host = host
    self.address = address
    self.port = port
    self.tls = tls
  }
}

extension Endpoint: CustomStringConvertible {
  package var description: String {
    let place = address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
    return host == address ? place : "\(host) (\(place))"
  }
}
