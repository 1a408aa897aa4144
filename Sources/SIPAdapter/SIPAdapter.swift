package import BrokerCore
package import Logging
package import NIOCore
package import Transport

/// The side of the gateway that faces one SIP platform: a trusted peer of its servers, on whose behalf contacts of the
/// other network write to its users and are written to.
///
/// Runs on one event loop, given at the start. What is decided is decided in `Engine`; `Driver` has the sockets.
package final class SIPAdapter: AdapterPort {
  private let loop: any EventLoop
  private let driver: NIOLoopBound<Driver>
  /// Where the platform reaches us.
  package let listenPort: Int

  private init(loop: any EventLoop, driver: NIOLoopBound<Driver>, listenPort: Int) {
    self.loop = loop
    self.driver = driver
    self.listenPort = listenPort
  }

  /// Listens and connects to the next hop. Fails with `BindError` where it cannot listen, with `ConfigurationError` where
  /// TLS has no certificates; an unreachable platform is no failure but told to the broker.
  package static func start(
    _ configuration: SIPConfiguration, on loop: any EventLoop, broker: any BrokerPort, resolver: Resolver,
    observer: (any SIPAdapterObserver)? = nil, logger: Logger
  ) -> EventLoopFuture<SIPAdapter> {
    if configuration.transport == .tls, configuration.serverTLS == nil || configuration.clientTLS == nil {
      return loop.makeFailedFuture(ConfigurationError(description: "transport tls needs certificates"))
    }
    return loop.flatSubmit {
      let driver = Driver(
        configuration, on: loop, broker: broker, resolver: resolver, observer: observer, logger: logger)
      let bound = NIOLoopBound(driver, eventLoop: loop)
      return driver.start().map { SIPAdapter(loop: loop, driver: bound, listenPort: $0) }
    }
  }

  package struct ConfigurationError: Error, CustomStringConvertible {
    package let description: String
  }

  package func perform(_ commands: [AdapterCommand]) {
    loop.execute { self.driver.value.perform(commands) }
  }

  /// Hangs up the sessions, closes the connections and takes nothing more. The future completes when all is closed.
  package func stop() -> EventLoopFuture<Void> {
    loop.flatSubmit { self.driver.value.stop() }
  }
}
