import AdminEndpoint
import BrokerCore
package import ConfigCore
import Glibc
import LMDBStore
import Logging
import MetricsCore
import NIOCore
import NIOPosix
import SIPAdapter
import Transport
import XMPPAdapter

/// The running gateway: its parts, made and wired in the order in which they need each other, and taken down in the
/// opposite order.
package final class Gateway {
  package struct StartFailure: Error, CustomStringConvertible {
    package var description: String
  }

  private let configuration: Configuration
  private let logger: Logger
  private let observation: Observation
  /// One loop each for the partners' side, the broker and every platform; they share threads only if there are too few.
  private let group: MultiThreadedEventLoopGroup
  private var xmpp: XMPPAdapter?
  private var platforms: [SIPAdapter] = []
  private var driver: BrokerDriver?
  private var store: LMDBStore?
  private var admin: AdminEndpoint?

  /// Starts everything and returns when the gateway serves. Blocks; call on the main thread.
  package static func start(_ configuration: Configuration) throws -> Gateway {
    Descriptors.raiseLimit()
    let gateway = try Gateway(configuration)
    do {
      try gateway.start()
    } catch {
      gateway.stop()
      throw StartFailure(description: "\(error)")
    }
    return gateway
  }

  private init(_ configuration: Configuration) throws {
    self.configuration = configuration
    logger = Self.logger("gateway", configuration)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 2 + configuration.platforms.count)
    observation = Observation(
      names: try Assembly(configuration).names, partners: Assembly.xmpp, logger: Self.logger("broker", configuration))
  }

  private static func logger(_ label: String, _ configuration: Configuration) -> Logger {
    let level = Logger.Level(rawValue: configuration.log.level.rawValue) ?? .info
    return Logger(label: label) { LogfmtHandler(label: $0, level: level) }
  }

  private func start() throws {
    let assembly = try Assembly(configuration)
    let metrics = observation.metrics
    metrics.buildInfo.with(Version.number).set(1)
    metrics.startTime.with().set(Double(Clock.now().milliseconds) / 1000)
    for (name, identity) in assembly.credentials.domains.merging(
      assembly.credentials.platforms, uniquingKeysWith: { $1 })
    {
      metrics.certificateEnd.with(name).set(Double(identity.certificate.notAfter))
    }

    let relay = StoreRelay()
    let (store, recovered) = try LMDBStore.open(
      path: configuration.store.path, options: assembly.store, logger: Self.logger("store", configuration),
      onEvent: { relay.tell($0) },
      observer: { commit in
        metrics.storeCommits.with().add()
        metrics.storeCommitSeconds.with().observe(commit.duration)
      })
    self.store = store
    if !recovered.entries.isEmpty {
      logger.notice("messages recovered from the store", metadata: ["count": "\(recovered.entries.count)"])
    }

    let broker = Broker(
      options: assembly.broker, routes: assembly.routes, recovered: recovered,
      seed: UInt64.random(in: .min ... .max), now: Clock.now())
    let driver = try BrokerDriver.start(
      broker, on: group.next(), clock: Clock.now, observe: { [observation] in observation.observe($0) }
    ).wait()
    self.driver = driver
    relay.connect(driver)

    let resolver = try Resolver(configuration: assembly.resolver)
    let xmpp = try XMPPAdapter.start(
      try assembly.xmppAdapter(), on: group.next(), broker: driver.port(for: Assembly.xmpp), resolver: resolver,
      observer: observation, logger: Self.logger("xmpp", configuration)
    ).wait()
    self.xmpp = xmpp
    var adapters: [AdapterID: any AdapterPort] = [Assembly.xmpp: xmpp]
    for platform in configuration.platforms {
      let id = AdapterID(platform.name)
      var logger = Self.logger("sip", configuration)
      logger[metadataKey: "platform"] = "\(platform.name)"
      let adapter = try SIPAdapter.start(
        try assembly.sipAdapter(platform), on: group.next(), broker: driver.port(for: id), resolver: resolver,
        observer: observation, logger: logger
      ).wait()
      platforms.append(adapter)
      adapters[id] = adapter
    }
    driver.connect(store: store, adapters: adapters)
    try startAdmin(driver: driver, store: store)
    logger.notice(
      "serving",
      metadata: [
        "version": "\(Version.number)", "domains": "\(configuration.domains.count)",
        "partners": "\(configuration.partners.count)", "xmpp_port": "\(configuration.xmpp.port)",
      ])
  }

  private func startAdmin(driver: BrokerDriver, store: LMDBStore) throws {
    guard configuration.metrics.enabled else { return }
    let observation = observation
    let names = configuration.platforms.map(\.name)
    let content = AdminEndpoint.Content(
      metrics: { loop in
        driver.status().hop(to: loop).map { lines in
          observation.update(lines, now: Clock.now())
          ProcessMetrics.update(observation.metrics)
          for part in Self.components(store: store, platforms: names, lines, observation) {
            observation.metrics.ready.with(part.name).set(part.isReady ? 1 : 0)
          }
          return observation.metrics.exposition()
        }
      },
      readiness: { loop in
        // The broker's loop has to answer as well.
        driver.status().hop(to: loop).map { Self.components(store: store, platforms: names, $0, observation) }
      })
    admin = try AdminEndpoint.start(
      address: configuration.metrics.address, port: configuration.metrics.port, on: group, content: content
    ).wait()
  }

  private static func components(
    store: LMDBStore, platforms: [String], _ lines: [Broker.LineStatus], _ observation: Observation
  ) -> [AdminEndpoint.Component] {
    let trouble = store.statistics.trouble
    let up = observation.platformsUp
    return [
      .init(name: "store", isReady: trouble == nil, text: trouble ?? "writes"),
      .init(name: "xmpp", isReady: true, text: "listens"),
    ]
      + platforms.map {
        let isUp = up[$0] ?? false
        let id = AdapterID($0)
        let trouble = lines.first { $0.destination.adapter == id && $0.lastError != nil }?.lastError?.detail
        let text = isUp ? "answers" : trouble.map { "does not answer: \($0)" } ?? "has not answered yet"
        return .init(name: "platform \($0)", isReady: isUp, text: text)
      }
  }

  /// Says good-bye to every peer, then writes what is queued. Blocks; call on the main thread.
  package func stop() {
    logger.notice("stopping")
    // Adapters first: what they still hear of deliveries makes the queue shorter.
    try? xmpp?.stop().wait()
    for platform in platforms { try? platform.stop().wait() }
    try? driver?.stop().wait()
    store?.close()
    try? admin?.stop().wait()
    try? group.syncShutdownGracefully()
  }
}
