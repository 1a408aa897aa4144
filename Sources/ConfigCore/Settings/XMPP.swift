/// `[xmpp]`: listeners and limits of the XMPP side.
package struct XMPPSettings: Settings {
  package var listen = ["0.0.0.0", "::"]
  package var port = 5269
  package var directTLSPort = 0
  package var connections = 1000
  package var connectionsPerAddress = 20
  package var stanzaBytes = 256 << 10
  package var negotiationTimeout = Duration.seconds(30)
  package var idleTimeout = Duration.seconds(600)
  package var confirmationTimeout = Duration.seconds(30)

  package init() {}

  static let options: [Option<XMPPSettings>] = [
    Option("listen", \.listen, .list(of: .address, minimum: 1), "Addresses to accept partners' servers on."),
    Option("port", \.port, .port, "The port for them (RFC 6120 §14.7)."),
    Option(
      "direct-tls-port", \.directTLSPort, .integer(0...65535),
      "A second port, where TLS starts at once (XEP-0368); 5270 is customary. 0: none."),
    Option(
      "connections", \.connections, .integer(1...100_000), effect: .live, "Connections at the same time, in all."),
    Option(
      "connections-per-address", \.connectionsPerAddress, .integer(1...100_000), effect: .live,
      "The same for one IPv4 address or one IPv6 network of 64 bits."),
    Option(
      "stanza-bytes", \.stanzaBytes, .size(10_000...(16 << 20)), effect: .reconnect,
      "The largest stanza taken. RFC 6120 §13.12 asks for 10000 bytes at least."),
    Option(
      "negotiation-timeout", \.negotiationTimeout, .duration(.seconds(1)...(.seconds(300))), effect: .reconnect,
      "How long a new stream may take to prove who it is."),
    Option(
      "idle-timeout", \.idleTimeout, .duration(.seconds(30)...(.seconds(86400))), effect: .live,
      "How long a stream without traffic stays open."),
    Option(
      "confirmation-timeout", \.confirmationTimeout, .duration(.seconds(1)...(.seconds(600))), effect: .live,
      "How long a partner may take to confirm messages (XEP-0198, XEP-0199) before its stream counts as dead."),
  ]
}
