package import NIOCore

/// Whom the resolver asks, and how much an answer may cost.
package struct ResolverConfiguration: Sendable {
  package enum Servers: Hashable, Sendable {
    /// Those of /etc/resolv.conf.
    case system
    /// `192.0.2.53`, or with a port `192.0.2.53@5353`. Nothing is read from /etc.
    case addresses([String])
  }

  package var servers: Servers
  /// For one question. A look-up may take twice as long: SRV first, then addresses.
  package var timeout: TimeAmount = .seconds(5)
  /// Seconds that an answer is kept at most, whatever its TTL.
  package var maximumTTL = 3600
  /// The same for "no such name", and for a server that did not answer.
  package var maximumNegativeTTL = 60
  /// Questions that may be open at once.
  package var maximumQuestions = 512
  /// SRV records that are followed (s2s attack A26: a thousand of them).
  package var maximumTargets = 8
  /// Addresses that a look-up gives at most.
  package var maximumEndpoints = 16
  /// A file with the DNSSEC trust anchor, in DS or DNSKEY form. nil: no validation.
  package var trustAnchorFile: String?

  package init(servers: Servers = .system) { self.servers = servers }
}
