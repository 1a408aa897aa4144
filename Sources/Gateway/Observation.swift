import BrokerCore
import Logging
import MetricsCore
import SIPAdapter
import Synchronization
import Transport
import XMPPAdapter
import XMPPCore

/// Turns what the parts tell into metrics and log lines: the only place where both are worded. Never sees a body.
final class Observation: Sendable {
  let metrics = Catalogue()
  private let logger: Logger
  /// What may stand in a label; everything else is `other`.
  private let names: Set<String>
  private let partners: AdapterID
  private let linksUp = Mutex<[String: Bool]>([:])
  private let toPartner: MessageCounters
  private let toPlatform: MessageCounters
  /// Resolved once: there is one for every stanza that passes.
  private let stanzas: [StanzaLabels: Counter]

  private struct StanzaLabels: Hashable, Sendable {
    var kind: Stanza.Kind
    var direction: StreamDirection
    var result: StanzaResult
  }

  /// The counters of one direction, resolved once.
  private struct MessageCounters: Sendable {
    let accepted: Counter
    let delivered: Counter
    let bounced: Counter
    let expired: Counter
    let refused: Counter
    let duplicate: Counter
    let seconds: Histogram

    init(_ metrics: Catalogue, _ direction: String) {
      accepted = metrics.messages.with(direction, "accepted")
      delivered = metrics.messages.with(direction, "delivered")
      bounced = metrics.messages.with(direction, "bounced")
      expired = metrics.messages.with(direction, "expired")
      refused = metrics.messages.with(direction, "refused")
      duplicate = metrics.messages.with(direction, "duplicate")
      seconds = metrics.deliverySeconds.with(direction)
    }
  }

  init(names: Set<String>, partners: AdapterID, logger: Logger) {
    self.names = names
    self.partners = partners
    self.logger = logger
    toPartner = MessageCounters(metrics, "to_partner")
    toPlatform = MessageCounters(metrics, "to_platform")
    var stanzas: [StanzaLabels: Counter] = [:]
    for kind in [Stanza.Kind.message, .presence, .iq] {
      for direction in StreamDirection.allCases {
        for result in StanzaResult.allCases {
          stanzas[StanzaLabels(kind: kind, direction: direction, result: result)] = metrics.stanzas.with(
            kind.rawValue, direction == .inbound ? "in" : "out", result.rawValue)
        }
      }
    }
    self.stanzas = stanzas
  }

  private func label(_ name: String?) -> String { name.flatMap { names.contains($0) ? $0 : nil } ?? "other" }

  /// Whether each platform answers now.
  var platformsUp: [String: Bool] { linksUp.withLock { $0 } }

  // MARK: Broker

  func observe(_ note: BrokerNote) {
    switch note {
    case .delivered(let entry, let after):
      guard case .message = entry.content else { return }
      let counters = entry.destination.adapter == partners ? toPartner : toPlatform
      counters.delivered.add()
      counters.seconds.observe(after)
    case .refused(let message, let adapter, let error):
      (adapter == partners ? toPlatform : toPartner).refused.add()
      logger.info(
        "message refused",
        metadata: [
          "from": "\(message.from.domain)", "to": "\(message.to.domain)", "condition": "\(error.condition.rawValue)",
          "reason": "\(error.detail)",
        ])
    case .accepted(let destination): (destination.adapter == partners ? toPartner : toPlatform).accepted.add()
    case .duplicate(_, let adapter): (adapter == partners ? toPlatform : toPartner).duplicate.add()
    case .bounced(let entry, let error, let expired):
      let counters = entry.destination.adapter == partners ? toPartner : toPlatform
      (expired ? counters.expired : counters.bounced).add()
      logger.notice(
        "message not delivered, sender told",
        metadata: [
          "entry": "\(entry.id.rawValue)", "destination": "\(entry.destination.domain)", "expired": "\(expired)",
          "condition": "\(error.condition.rawValue)", "reason": "\(error.detail)",
        ])
    case .reportDropped(let entry, let error):
      metrics.reports.with().add()
      logger.warning(
        "failure report not delivered either, dropped",
        metadata: ["destination": "\(entry.destination.domain)", "reason": "\(error.detail)"])
    case .up(let destination, let waiting):
      logger.notice("destination answers", metadata: ["destination": "\(destination.domain)", "waiting": "\(waiting)"])
    case .down(let destination, let error, let kept, let retry):
      logger.warning(
        "destination does not answer",
        metadata: [
          "destination": "\(destination.domain)", "reason": "\(error.detail)", "waiting": "\(kept)",
          "retry": "\(retry)",
        ])
    case .notDurable(let id, let reason):
      metrics.storeFailures.with().add()
      logger.error("message could not be stored", metadata: ["entry": "\(id.rawValue)", "reason": "\(reason)"])
    }
  }

  func update(_ lines: [Broker.LineStatus], now: Timestamp) {
    for line in lines {
      let name = line.destination.domain
      metrics.queueMessages.with(name).set(line.entries)
      metrics.queueBytes.with(name).set(line.bytes)
      let age = line.oldest.map { Double((now - $0).inMilliseconds) / 1000 } ?? 0
      metrics.queueOldest.with(name).set(max(0, age))
      metrics.destinationUp.with(name).set(line.isUp ? 1 : 0)
    }
  }
}

// MARK: - XMPP

extension Observation: XMPPAdapterObserver {
  func stanza(_ kind: Stanza.Kind, _ direction: StreamDirection, _ result: StanzaResult, partner: String) {
    stanzas[StanzaLabels(kind: kind, direction: direction, result: result)]?.add()
  }

  func streamOpened(_ direction: StreamDirection, partner: String, method: AuthenticationMethod) {
    metrics.streams.with(label(partner), direction == .inbound ? "in" : "out").add(1)
  }

  func streamClosed(_ direction: StreamDirection, partner: String, method: AuthenticationMethod) {
    metrics.streams.with(label(partner), direction == .inbound ? "in" : "out").add(-1)
  }

  func streamFailed(partner: String, stage: StreamFailure.Stage) {
    metrics.streamFailures.with(label(partner), "out", stage.rawValue).add()
  }

  func inboundFailed(partner: String?, condition: StreamError.Condition) {
    metrics.streamFailures.with(label(partner), "in", condition.rawValue).add()
  }

  func connectionRefused(limit: String) { metrics.connectionsRefused.with("xmpp", limit).add() }
}

// MARK: - SIP

extension Observation: SIPAdapterObserver {
  /// A peer can invent methods; a metric has these.
  private static let methods: Set = [
    "INVITE", "ACK", "BYE", "CANCEL", "MESSAGE", "INFO", "OPTIONS", "SUBSCRIBE", "NOTIFY", "REFER", "PRACK", "UPDATE",
    "BENOTIFY", "NEGOTIATE",
  ]

  func observe(_ event: SIPAdapterEvent, platform: AdapterID) {
    switch event {
    case .concluded(let direction, let method, let status, _):
      metrics.sipRequests.with(
        platform.name, Self.methods.contains(method) ? method : Family<Counter>.overflow,
        direction == .inbound ? "in" : "out", status == 0 ? "none" : "\(status / 100)xx"
      ).add()
    case .connectionOpened: metrics.sipConnections.with(platform.name).add(1)
    case .connectionClosed: metrics.sipConnections.with(platform.name).add(-1)
    case .linkUp: linksUp.withLock { $0[platform.name] = true }
    case .linkDown: linksUp.withLock { $0[platform.name] = false }
    case .peerRefused: metrics.connectionsRefused.with(platform.name, "certificate").add()
    case .connectionRefused(let limit): metrics.connectionsRefused.with(platform.name, limit).add()
    case .malformed(let status): metrics.sipRequests.with(platform.name, "malformed", "in", "\(status / 100)xx").add()
    case .sessions(let count): metrics.sipSessions.with(platform.name).set(count)
    }
  }
}
