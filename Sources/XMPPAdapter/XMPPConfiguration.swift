package import BrokerCore
package import Transport
package import XMPPCore

/// What the adapter is to do, in its own terms. The gateway makes it from the operator's configuration.
package struct XMPPConfiguration: Sendable {
  /// A domain of ours that partners may talk to.
  package struct Domain: Sendable {
    /// Normalised.
    package var name: String
    /// Shows the domain's certificate to the servers we dial.
    package var clientTLS: TLSContext

    package init(name: String, clientTLS: TLSContext) {
      self.name = name
      self.clientTLS = clientTLS
    }
  }

  /// A foreign domain that may talk to us. There are no others.
  package struct Partner: Hashable, Sendable {
    /// Where its server is, instead of what DNS says.
    package struct Server: Hashable, Sendable {
      /// A name or a numeric address.
      package var host: String
      package var port: Int
      package var directTLS: Bool

      package init(host: String, port: Int = 5269, directTLS: Bool = false) {
        self.host = host
        self.port = port
        self.directTLS = directTLS
      }
    }

    /// Normalised.
    package var domain: String
    package var policy: StreamPolicy
    package var server: Server?

    package init(domain: String, policy: StreamPolicy = StreamPolicy(), server: Server? = nil) {
      self.domain = domain
      self.policy = policy
      self.server = server
    }
  }

  package struct ListenAddress: Hashable, Sendable {
    /// Numeric.
    package var address: String
    package var port: Int
    package var directTLS: Bool

    package init(address: String = "::", port: Int = 5269, directTLS: Bool = false) {
      self.address = address
      self.port = port
      self.directTLS = directTLS
    }
  }

  /// The name under which the broker knows the adapter.
  package var adapter: AdapterID
  package var domains: [Domain]
  /// Shows the certificate of the domain that a peer asks for.
  package var serverTLS: TLSContext
  package var listeners: [ListenAddress]
  package var partners: [Partner]
  package var limits: XMPPLimits
  /// At least 32 random bytes; gateways that answer for the same domains share it (XEP-0185).
  package var dialbackSecret: [UInt8]
  package var software: ServerQueries
  /// The time of day; with it, messages that had to wait say since when (XEP-0203).
  package var clock: (@Sendable () -> Timestamp)?

  package init(
    adapter: AdapterID, domains: [Domain], serverTLS: TLSContext, listeners: [ListenAddress], partners: [Partner],
    limits: XMPPLimits = XMPPLimits(), dialbackSecret: [UInt8] = Crypto.randomBytes(32), software: ServerQueries,
    clock: (@Sendable () -> Timestamp)? = nil
  ) {
    self.adapter = adapter
    self.domains = domains
    self.serverTLS = serverTLS
    self.listeners = listeners
    self.partners = partners
    self.limits = limits
    self.dialbackSecret = dialbackSecret
    self.software = software
    self.clock = clock
  }
}

/// Bounds on what partners and strangers may cost.
package struct XMPPLimits: Sendable {
  package var inbound = InboundLimits()
  package var outbound = OutboundLimits()
  package var listener = ListenerLimits()
  package var connection = ConnectionLimits()
  /// The same of connections that peers opened. They carry no stanzas of ours, only answers; who does not read those
  /// is not listened to, and costs little meanwhile.
  package var acceptedConnection = {
    var limits = ConnectionLimits()
    limits.readBytes = 1024
    limits.highWaterMark = 16 * 1024
    limits.lowWaterMark = 8 * 1024
    limits.sendBufferCap = 256 * 1024
    return limits
  }()
  package var dialling = Dialler.Timing()

  /// Authenticated streams that one partner may have open to us; the one silent for longest gives way.
  package var streamsPerPartner = 16
  /// Stanzas of one stream that the broker has not answered, before we stop reading from it …
  package var unansweredStanzas: UInt64 = 1024
  /// … and answers to pings that wait for them.
  package var heldAnswers = 32
  /// Error stanzas and answers to queries that wait for a stream to a partner.
  package var waitingAnswers = 1024
  package var waitingAnswerBytes = 512 * 1024
  /// Messages to a partner whose refusal is still recognised after they were confirmed.
  package var rememberedMessages = 8192
  /// Addresses of a partner's server tried for one stream.
  package var endpoints = 12
  /// Dialback questions at one time to all partners, and to one (XEP-0220 §3.1: a reflector otherwise).
  package var verifications = 64
  package var verificationsPerPartner = 4
  /// How long a partner's server that could not be asked about a key is not asked again.
  package var verificationPause: Duration = .seconds(20)
  /// For all of a partner's servers together, until one of them has taken us.
  package var dialDeadline: Duration = .seconds(60)
  /// When the broker has surely heard that a link was lost, even if none of its entries comes again.
  package var settle: Duration = .seconds(1)
  /// A message that waited here for longer says so (XEP-0203).
  package var delayWorthTelling: Duration = .seconds(30)
  /// At the end: how long what is on the way may take to be confirmed.
  package var drain: Duration = .seconds(2)

  package init() {}
}
