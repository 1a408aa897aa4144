/// `[[platform]]`: a chat system of the organisation.
package struct Platform: Settings {
  package enum Kind: String, CaseIterable, Sendable {
    case sip
  }

  /// How instant messages travel.
  package enum Mode: String, CaseIterable, Sendable {
    /// MESSAGE requests that stand alone (RFC 3428).
    case page
    /// MESSAGE inside a session that INVITE opened, as Skype for Business does.
    case session
  }

  package enum Transport: String, CaseIterable, Sendable {
    case tls
    case tcp
  }

  package var name = ""
  package var kind = Kind.sip
  package var mode = Mode.page
  package var transport = Transport.tls
  package var hostName = ""
  package var nextHop = ""
  package var nextHopPort: Int?
  package var listen = ["0.0.0.0", "::"]
  package var listenPort = 5061
  package var certificate: String?
  package var key: String?
  package var trustedPeers: [String] = []
  package var checkInterval = Duration.seconds(7)
  package var sessionIdle = Duration.seconds(600)

  package init() {}

  /// Whom connections from the platform, and the next hop, must prove to be: `trustedPeers`, or else the next hop.
  package var effectivePeers: [String] { trustedPeers.isEmpty ? [nextHop] : trustedPeers }

  static let options: [Option<Platform>] = [
    Option(
      "name", \.name, .label, required: true, example: "\"skype\"",
      "What [[domain]] sections, the log and the metrics call it."),
    Option("kind", \.kind, .choice(), "The protocol."),
    Option(
      "mode", \.mode, .choice(), effect: .reconnect,
      "How messages travel: \"page\" for one MESSAGE each (RFC 3428), \"session\" for INVITE and MESSAGE inside the "
        + "dialog (Skype for Business)."),
    Option(
      "transport", \.transport, .choice(),
      "\"tcp\" is not encrypted and proves nothing about the peer: for laboratories."),
    Option(
      "host-name", \.hostName, .domain, required: true, example: "\"drawbridge.corp.example\"",
      "This gateway's own name: in Via and Contact, and in the certificate that it shows to the platform."),
    Option(
      "next-hop", \.nextHop, .host, required: true, example: "\"frontend.corp.example\"", effect: .reconnect,
      "The platform's server that takes our requests."),
    Option(
      "next-hop-port", \.nextHopPort, .optional(.port), example: "5061", effect: .reconnect,
      "Its port. Without it, a name is looked up as RFC 3263 says (SRV, then 5061 for TLS and 5060 for TCP)."),
    Option("listen", \.listen, .list(of: .address, minimum: 1), "Where the platform connects to us."),
    Option(
      "listen-port", \.listenPort, .port, "The port there. Platforms of one gateway need a port, or an address, each."),
    Option(
      "certificate", \.certificate, .optional(.file(.certificate)), example: "\"/etc/drawbridge/drawbridge.crt\"",
      effect: .reconnect, "PEM file: certificate for host-name and its chain. Required for \"tls\"."),
    Option(
      "key", \.key, .optional(.file(.key)), example: "\"/etc/drawbridge/drawbridge.key\"", effect: .reconnect,
      "PEM file: its private key. Required for \"tls\"."),
    Option(
      "trusted-peers", \.trustedPeers, .list(of: .host), effect: .reconnect,
      "Names, one of which the certificate of a connecting server must hold; addresses for \"tcp\". Empty: next-hop."),
    Option(
      "check-interval", \.checkInterval, .duration(.seconds(5)...(.seconds(3600))), effect: .live,
      "How long a connection may be quiet before the platform is asked (OPTIONS) whether it is there. It counts as down 5 s "
        + "later."),
    Option(
      "session-idle", \.sessionIdle, .duration(.seconds(30)...(.seconds(86400))), effect: .live,
      "How long a session without a message stays open, in \"session\" mode."),
  ]
}
