package import BrokerCore
package import Logging
package import NIOCore
package import Transport

/// Federation over XMPP: listens for partners' servers, dials them, and translates between stanzas and what the broker
/// speaks. Everything behind this facade happens on one event loop, in `Federation`.
package final class XMPPAdapter: AdapterPort {
  private let loop: any EventLoop
  private let federation: NIOLoopBoundBox<Federation?>

  /// Listens on the configured addresses. Fails, with a text for the operator, if one of them is not to be had.
  package static func start(
    _ configuration: XMPPConfiguration, on loop: any EventLoop, broker: any BrokerPort, resolver: Resolver,
    observer: any XMPPAdapterObserver, logger: Logger
  ) -> EventLoopFuture<XMPPAdapter> {
    loop.flatSubmit {
      let federation = Federation(
        configuration, loop: loop, broker: broker, resolver: resolver, observer: observer, logger: logger)
      let adapter = XMPPAdapter(loop, federation)
      return federation.listen().map { adapter }
    }
  }

  private init(_ loop: any EventLoop, _ federation: Federation) {
    self.loop = loop
    self.federation = NIOLoopBoundBox(federation, eventLoop: loop)
  }

  package func perform(_ commands: [AdapterCommand]) {
    loop.execute { self.federation.value?.perform(commands) }
  }

  /// The ports listened on, in the order of the configuration.
  package func listeningPorts() -> EventLoopFuture<[Int]> {
    loop.submit { self.federation.value?.listeningPorts ?? [] }
  }

  /// Puts another list of partners in force. Streams of those that are no longer in it, or are to be treated otherwise,
  /// end; the others go on.
  package func replace(partners: [XMPPConfiguration.Partner]) {
    loop.execute { self.federation.value?.replace(partners: partners) }
  }

  /// What is open now.
  package func status() -> EventLoopFuture<[XMPPPartnerStatus]> {
    loop.submit { self.federation.value?.status ?? [] }
  }

  /// Says good-bye on all streams and closes them; completes when they are closed. What is not confirmed by then is
  /// still the broker's.
  package func stop() -> EventLoopFuture<Void> {
    loop.flatSubmit {
      guard let federation = self.federation.value else { return self.loop.makeSucceededVoidFuture() }
      return federation.stop().map { self.federation.value = nil }
    }
  }
}

/// A partner as it is now.
package struct XMPPPartnerStatus: Hashable, Sendable {
  package var domain: String
  package var inboundStreams: Int
  package var outboundStreams: Int
  /// Why the last attempt to reach it failed; nil once it was reached.
  package var lastFailure: String?
}
