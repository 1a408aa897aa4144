package enum TrustSource: Sendable, Equatable {
  /// The authorities that the operating system trusts.
  case system
  /// A PEM file of authorities.
  case file(String)
}

/// `[tls]`
package struct TLSSettings: Settings {
  package enum Version: String, CaseIterable, Sendable {
    case v1_2 = "1.2"
    case v1_3 = "1.3"
  }

  package var ca = TrustSource.system
  package var minimumVersion = Version.v1_2

  package init() {}

  static let options: [Option<TLSSettings>] = [
    Option(
      "ca", \.ca, .trust, effect: .reconnect,
      "The certificate authorities to trust: those of the operating system, or those in a PEM file."),
    Option(
      "minimum-version", \.minimumVersion, .choice(), effect: .reconnect,
      "Older versions are refused (RFC 9325 §3.1.1)."),
  ]
}

/// `[dns]`
package struct DNSSettings: Settings {
  package var servers: [String] = []
  package var timeout = Duration.seconds(5)

  package init() {}

  static let options: [Option<DNSSettings>] = [
    Option(
      "servers", \.servers, .list(of: .nameServer),
      "DNS servers to ask, each an address or address@port. Empty: those in /etc/resolv.conf."),
    Option(
      "timeout", \.timeout, .duration(.milliseconds(100)...(.seconds(60))), effect: .live,
      "How long a look-up may take."),
  ]
}

/// `[metrics]`
package struct MetricsSettings: Settings {
  package var enabled = true
  package var address = "127.0.0.1"
  package var port = 9469

  package init() {}

  static let options: [Option<MetricsSettings>] = [
    Option("enabled", \.enabled, .boolean, "Whether there is such an endpoint."),
    Option("address", \.address, .address, "The address to listen on."),
    Option("port", \.port, .port, "The port to listen on."),
  ]
}

/// `[log]`
package struct LogSettings: Settings {
  package enum Level: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error
  }

  package var level = Level.info

  package init() {}

  static let options: [Option<LogSettings>] = [
    Option("level", \.level, .choice(), effect: .live, "The least important lines to write.")
  ]
}
