package import BrokerCore
package import SIPCore
package import Transport

/// What the adapter for one platform is to do, in its own terms. The gateway makes it from the operator's configuration.
package struct SIPConfiguration: Sendable {
  /// How the platform's users get their messages.
  package enum Mode: String, CaseIterable, Sendable {
    /// One MESSAGE for each, outside of any dialog (RFC 3428).
    case page
    /// MESSAGE inside a dialog that an INVITE with `m=message … sip null` opened (Skype for Business).
    case session
  }

  package enum Transport: String, CaseIterable, Sendable {
    case tls
    /// For laboratories: no peer is authenticated.
    case tcp
  }

  /// Where requests go: always there, whatever their Request-URI says.
  package struct NextHop: Hashable, Sendable {
    /// A name or a numeric address. The certificate has to bear the name.
    package var host: String
    /// Without one the DNS is asked (RFC 3263 §4.2).
    package var port: Int?

    package init(host: String, port: Int? = nil) {
      self.host = host
      self.port = port
    }
  }

  /// The name under which the broker knows the adapter.
  package var adapter: AdapterID
  /// The organisation's domains that this platform serves, in lower case.
  package var domains: [String]
  package var mode: Mode
  package var transport: Transport
  package var nextHop: NextHop
  /// Numeric; at least one.
  package var listenAddresses: [String]
  package var listenPort: Int
  /// Our name in Via and Contact: a host name or address that the platform can reach.
  package var localHost: String
  /// The port in Via and Contact, where it is not the one we listen on.
  package var advertisedPort: Int?
  /// Both needed for TLS.
  package var serverTLS: TLSContext?
  package var clientTLS: TLSContext?
  /// Names of which a peer's certificate must bear one, besides the next hop's (RFC 5922 §7).
  package var trustedPeers: [String]
  /// Whether the sender's XMPP resource goes out as `gr` parameter in From (RFC 7572 §4). Some platforms take each such
  /// address for another person.
  package var endpointInFrom: Bool
  package var limits: SIPAdapterLimits
  package var times: SIPAdapterTimes

  package init(
    adapter: AdapterID, domains: [String], mode: Mode, transport: Transport, nextHop: NextHop,
    listenAddresses: [String] = ["::"], listenPort: Int = 5061, localHost: String, advertisedPort: Int? = nil,
    serverTLS: TLSContext? = nil, clientTLS: TLSContext? = nil, trustedPeers: [String] = [],
    endpointInFrom: Bool? = nil, limits: SIPAdapterLimits = .init(), times: SIPAdapterTimes = .init()
  ) {
    self.adapter = adapter
    self.domains = domains.map(\.asciiLowercased)
    self.mode = mode
    self.transport = transport
    self.nextHop = nextHop
    self.listenAddresses = listenAddresses
    self.listenPort = listenPort
    self.localHost = localHost
    self.advertisedPort = advertisedPort
    self.serverTLS = serverTLS
    self.clientTLS = clientTLS
    self.trustedPeers = trustedPeers
    self.endpointInFrom = endpointInFrom ?? (mode == .page)
    self.limits = limits
    self.times = times
  }
}

/// Bounds on what the platform may cost.
package struct SIPAdapterLimits: Sendable {
  /// One message on the wire.
  package var message = SIPLimits()
  /// The same of a peer that is not trusted: enough to tell it so, without waiting for a body.
  package var untrustedMessage = SIPLimits(startLine: 2048, headerCount: 64, headerBytes: 8192, bodyBytes: 0)
  package var listener = ListenerLimits()
  package var connection = ConnectionLimits()
  /// Entries of the broker that are held at one time; beyond, they go back at once.
  package var heldEntries = 8192
  /// (sender, recipient) pairs whose request is on its way at one time.
  package var outstandingRequests = 256
  /// Messages of one connection that the broker has not answered, before we stop reading from it.
  package var unansweredMessages = 512
  /// Requests of the platform that we have not answered, or whose answer is not acknowledged, in all.
  package var serverTransactions = 8192
  /// Dialogs of instant message sessions.
  package var sessions = 8192
  /// Messages in a row that cannot be understood before their connection is closed.
  package var malformedMessages = 16
  /// INVITEs for one message that met the peer's own (491) before it is refused.
  package var glareAttempts = 3

  package init() {}
}

package struct SIPAdapterTimes: Sendable {
  package var transaction = TransactionTimers()
  /// A connection on which nothing came for so long is asked for a sign of life (OPTIONS) …
  package var probeAfter: Duration = .seconds(7)
  /// … and is dead if nothing comes for so long then. With the check interval of a second a silent peer is found
  /// within 15 s.
  package var probeTimeout: Duration = .seconds(5)
  /// Pauses between attempts to reach the next hop: doubling, with jitter.
  package var reconnectMinimum: Duration = .milliseconds(500)
  package var reconnectMaximum: Duration = .seconds(30)
  /// An INVITE that rings longer is cancelled. A passive endpoint of Skype for Business takes 10 s to answer.
  package var inviteDeadline: Duration = .seconds(60)
  /// A session in which nothing was said for so long ends (RFC 7573 §5 suggests ten minutes).
  package var sessionIdle: Duration = .seconds(600)
  /// A message whose outcome the broker does not tell in this time is answered 500.
  package var answerDeadline: Duration = .seconds(25)
  /// A message that began to arrive has to be complete after this time.
  package var messageDeadline: Duration = .seconds(30)
  /// A connection from a peer that is not trusted may wait so long for its refusal.
  package var untrustedDeadline: Duration = .seconds(10)
  /// A connection from the platform on which nothing comes for so long is closed.
  package var acceptedIdle: Duration = .seconds(3600)
  /// How long an entry may be on its way between broker and adapter: for so long after the link was lost, those that the
  /// broker sent off before it heard of it follow the others back.
  package var settle: Duration = .seconds(1)

  package init() {}
}
