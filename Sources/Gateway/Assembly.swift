import BrokerCore
import ConfigCore
import Glibc
import LMDBStore
import NIOCore
import SIPAdapter
import Transport
import XMPPAdapter
import XMPPCore

/// From the operator's configuration to what each part wants to know: every option is handed on here, once.
struct Assembly {
  static let xmpp = AdapterID("xmpp")

  let configuration: Configuration
  let credentials: Credentials

  init(_ configuration: Configuration) throws(TLSError) {
    self.configuration = configuration
    credentials = try Credentials(configuration)
  }

  /// The names that may stand in metrics.
  var names: Set<String> { Set(configuration.partners.map(\.domain) + configuration.domains.map(\.name)) }

  var routes: Routes {
    Routes(
      configuration.partners.map { Route(side: .partner, adapter: Self.xmpp, domain: $0.domain) }
        + configuration.domains.map {
          Route(side: .organisation, adapter: AdapterID($0.platform), domain: $0.name)
        })
  }

  var broker: BrokerOptions {
    var options = BrokerOptions()
    let queue = configuration.queue
    options.timeToLive = queue.timeToLive
    options.answerDelay = queue.answerDelay
    options.retryMinimum = queue.retryMinimum
    options.retryMaximum = queue.retryMaximum
    options.entriesPerDestination = queue.messagesPerDestination
    options.bytesPerDestination = queue.bytesPerDestination
    options.entriesTotal = queue.messagesTotal
    options.bytesTotal = queue.bytesTotal
    return options
  }

  var store: LMDBStoreOptions { LMDBStoreOptions(maximumSize: configuration.store.maximumSize) }

  var resolver: ResolverConfiguration {
    let dns = configuration.dns
    var resolver = ResolverConfiguration(servers: dns.servers.isEmpty ? .system : .addresses(dns.servers))
    resolver.timeout = .milliseconds(dns.timeout.inMilliseconds)
    return resolver
  }

  private var tls: TLSOptions {
    TLSOptions(minimumVersion: configuration.tls.minimumVersion == .v1_3 ? .v1_3 : .v1_2)
  }

  /// XEP-0368 §3: `xmpp-server`.
  private var xmppTLS: TLSOptions {
    var options = tls
    options.alpn = ["xmpp-server"]
    return options
  }

  func xmppAdapter() throws(TLSError) -> XMPPConfiguration {
    let settings = configuration.xmpp
    var identities: [TLSIdentity] = []
    var domains: [XMPPConfiguration.Domain] = []
    for domain in configuration.domains {
      guard let identity = credentials.domains[domain.name] else { continue }
      identities.append(identity)
      let client = try TLSContext.client(identity: identity, trust: credentials.trust, options: xmppTLS)
      domains.append(XMPPConfiguration.Domain(name: domain.name, clientTLS: client))
    }
    let addresses = Self.available(settings.listen)
    var listeners = addresses.map { XMPPConfiguration.ListenAddress(address: $0, port: settings.port) }
    if settings.directTLSPort != 0 {
      listeners += addresses.map {
        XMPPConfiguration.ListenAddress(address: $0, port: settings.directTLSPort, directTLS: true)
      }
    }
    var limits = XMPPLimits()
    limits.listener.total = settings.connections
    limits.listener.perSource = settings.connectionsPerAddress
    limits.inbound.negotiation = settings.negotiationTimeout
    limits.inbound.idle = settings.idleTimeout
    limits.outbound.negotiation = settings.negotiationTimeout
    limits.outbound.idle = settings.idleTimeout
    limits.outbound.confirmation = settings.confirmationTimeout
    return XMPPConfiguration(
      adapter: Self.xmpp, domains: domains,
      serverTLS: try TLSContext.server(identities: identities, trust: credentials.trust, options: xmppTLS),
      listeners: listeners, partners: configuration.partners.map(partner), limits: limits,
      software: ServerQueries(softwareName: Version.name, softwareVersion: Version.number), clock: Clock.now)
  }

  /// "All of IPv4 and all of IPv6" (the default) means what the machine has of them.
  private static func available(_ addresses: [String]) -> [String] {
    let hasIPv6 = unsafe access("/proc/net/if_inet6", F_OK) == 0
    return hasIPv6 || !addresses.contains("0.0.0.0") ? addresses : addresses.filter { $0 != "::" }
  }

  private func partner(_ partner: ConfigCore.Partner) -> XMPPConfiguration.Partner {
    XMPPConfiguration.Partner(
      domain: partner.domain,
      policy: StreamPolicy(
        requireTLS: partner.tls == .required, allowDialback: partner.dialback,
        stanzaBytes: configuration.xmpp.stanzaBytes),
      server: partner.address.map {
        XMPPConfiguration.Partner.Server(
          host: $0, port: partner.port ?? (partner.directTLS ? 5270 : 5269), directTLS: partner.directTLS)
      })
  }

  func sipAdapter(_ platform: Platform) throws(TLSError) -> SIPConfiguration {
    var times = SIPAdapterTimes()
    times.probeAfter = platform.checkInterval
    times.sessionIdle = platform.sessionIdle
    let identity = credentials.platforms[platform.name]
    return SIPConfiguration(
      adapter: AdapterID(platform.name),
      domains: configuration.domains.filter { $0.platform == platform.name }.map(\.name),
      mode: platform.mode == .page ? .page : .session, transport: platform.transport == .tls ? .tls : .tcp,
      nextHop: SIPConfiguration.NextHop(host: platform.nextHop, port: platform.nextHopPort),
      listenAddresses: Self.available(platform.listen), listenPort: platform.listenPort, localHost: platform.hostName,
      serverTLS: try identity.map { (identity) throws(TLSError) in
        try TLSContext.server(identities: [identity], trust: credentials.trust, options: tls)
      },
      clientTLS: try identity.map { (identity) throws(TLSError) in
        try TLSContext.client(identity: identity, trust: credentials.trust, options: tls)
      },
      trustedPeers: platform.trustedPeers, times: times)
  }
}
