import Foundation
import NIOCore
import Testing

@testable import Lab

extension InteropTests {
  /// One side is cut off under traffic in both directions and comes back: everything arrives, in order, or goes back to its
  /// sender when its time is over. Partner and platform are played here, and count; real servers are in
  /// `ServerOutageTests`.
  @Suite(.serialized) struct OutageTests {
    /// Seconds of each outage: the minute that a partner may well be away takes `DRAWBRIDGE_LONG_OUTAGE=60`.
    static let seconds = long ?? 6
    static var isLong: Bool { long != nil }
    private static let long = ProcessInfo.processInfo.environment["DRAWBRIDGE_LONG_OUTAGE"].flatMap { Int($0) }
    /// Messages a second, in each direction.
    static let rate = 25
    /// What may be under way when a wire is cut, and come twice.
    static let underWay = 2 * rate

    struct Outage: Sendable {
      var name: String
      /// Called again for every half second of messages, until the end.
      var cut: @Sendable (Wires, Wires.Side) async throws -> Void
    }

    static let hard: [Outage] = [
      Outage(name: "process stopped") { try $0.set(.down, $1) },
      Outage(name: "connections reset") { try $0.set(.refusing, $1) },
      Outage(name: "connections flap") { wires, side in wires.cut(side) },
    ]
    static let soft: [Outage] = [
      Outage(name: "balancer without server") { try $0.set(.closing, $1) },
      Outage(name: "connections stall") { try $0.set(.swallowing, $1) },
    ]

    @Test(.timeLimit(.minutes(10))) func everythingArrivesAfterwards() async throws {
      async let hardPartner: Void = rideOut(Self.hard, of: .partner)
      async let hardPlatform: Void = rideOut(Self.hard, of: .platform)
      async let softPartner: Void = rideOut(Self.soft, of: .partner)
      async let softPlatform: Void = rideOut(Self.soft, of: .platform)
      _ = try await (hardPartner, hardPlatform, softPartner, softPlatform)
    }

    /// Real packets, lost in a network of their own.
    @Test(.timeLimit(.minutes(10))) func everythingArrivesAfterPacketsWereDropped() async throws {
      let dropped = [Outage(name: "packets dropped") { try await $0.drop([$1]) }]
      async let partner: Void = rideOut(dropped, of: .partner, throughNamespace: true)
      async let platform: Void = rideOut(dropped, of: .platform, throughNamespace: true)
      let cable = [
        Outage(name: "packets of both sides dropped") { wires, _ in try await wires.drop([.partner, .platform]) }
      ]
      async let both: Void = rideOut(cable, of: .partner, throughNamespace: true)
      _ = try await (partner, platform, both)
    }

    private func rideOut(_ outages: [Outage], of side: Wires.Side, throughNamespace: Bool = false) async throws {
      try await withTraffic(throughNamespace: throughNamespace) { scene in
        for outage in outages {
          let before = try await scene.state()
          let end = before.outward.sent + Self.rate * Self.seconds
          var next = before.outward.sent
          var sent = next
          while sent < end {
            if sent >= next {
              try await outage.cut(scene.wires, side)
              next += Self.rate / 2
            }
            sent = try await scene.state().outward.sent
            try await Task.sleep(for: .milliseconds(20))
          }
          let during = try await scene.state()
          try scene.wires.set(.passing, side)
          if throughNamespace { try await scene.wires.drop([]) }
          let recovery = try await scene.settle("\(side), \(outage.name)")
          let after = try await scene.state()
          print(
            "outage of \(side), \(outage.name), \(Self.seconds) s: waited in \(during.inward.sent - during.inward.seen.count)"
              + " out \(during.outward.sent - during.outward.seen.count)"
              + ", all there after \(recovery), repeated in \(after.inward.repeated - before.inward.repeated)"
              + " out \(after.outward.repeated - before.outward.repeated)")
          for (old, new) in [(before.inward, after.inward), (before.outward, after.outward)] {
            #expect(new.repeated - old.repeated <= Self.underWay, "\(side), \(outage.name)")
            #expect(new.refusals.isEmpty, "\(side), \(outage.name): \(new.refusals)")
            #expect(new.reordered == 0 && new.idsChanged == 0, "\(side), \(outage.name)")
          }
        }
      }
    }

    /// What cannot be delivered in time goes back: as an error stanza to the partner's user, as a message in the
    /// conversation to the platform's.
    @Test(.timeLimit(.minutes(5))) func everythingElseGoesBackInTime() async throws {
      async let partner: Void = bounce(.partner, cut: .swallowing)
      async let platform: Void = bounce(.platform, cut: .down)
      _ = try await (partner, platform)
    }

    private func bounce(_ side: Wires.Side, cut: TCPRelay.State) async throws {
      try await withTraffic(adjust: { $0.more["queue"]?["time-to-live"] = "\"10s\"" }) { scene in
        let before = try await scene.state()
        try scene.wires.set(cut, side)
        try await scene.wait("messages for the \(side)") { $0.outward.sent >= before.outward.sent + 2 * Self.rate }
        try await scene.offer(false)
        let start = ContinuousClock.now
        @Sendable func ledger(_ traffic: TwoWayTraffic) -> DeliveryLedger {
          side == .partner ? traffic.outward : traffic.inward
        }
        try await scene.wait("everything for the \(side) to go back", within: .seconds(40)) {
          ledger($0).isSettled(upTo: ledger($0).sent)
        }
        let end = ContinuousClock.now
        try scene.wires.set(.passing, side)
        try await scene.offer(true)
        try await scene.settle("\(side), after messages went back")
        let after = try await scene.state()
        let (old, new) = side == .partner ? (before.outward, after.outward) : (before.inward, after.inward)
        let returned = new.refusals
        print(
          "outage of \(side), \(cut): \(returned.count) messages went back within \(end - start) of the last,"
            + " \(new.refused.intersection(new.seen).count) of them had arrived: \(Set(returned.values).sorted().prefix(2))"
        )
        #expect(returned.count >= Self.rate)
        #expect(new.refused.intersection(new.seen).count <= Self.underWay)
        #expect(new.reordered == 0 && new.repeated - old.repeated <= Self.underWay)
        switch side {
        case .partner: #expect(returned.values.allSatisfy { $0.contains("was not delivered") }, "\(returned)")
        case .platform: #expect(Set(returned.values) == ["wait remote-server-timeout"], "\(returned)")
        }
      }
    }

    /// A restart in good order, under as much traffic as goes.
    @Test(.timeLimit(.minutes(3))) func restartLosesNothing() async throws {
      let count = 3000
      try await withTraffic(count: count) { scene in
        for mark in [1500, 3500] {
          try await scene.wait("\(mark) arrivals") { $0.inward.seen.count + $0.outward.seen.count >= mark }
          let start = ContinuousClock.now
          try await scene.stage.gateway.restart()
          print("restart took \(ContinuousClock.now - start)")
        }
        try await scene.wait("all messages", within: .seconds(60)) { $0.isComplete }
        let state = try await scene.state()
        for (name, ledger) in [("partner to platform", state.inward), ("platform to partner", state.outward)] {
          print("two restarts, \(name): repeated \(ledger.repeated) of \(ledger.sent), reordered \(ledger.reordered)")
          #expect(ledger.refusals.isEmpty && ledger.reordered == 0 && ledger.idsChanged == 0)
          // Of each restart: what was acknowledged to us on a connection that closed before we heard of it.
          #expect(ledger.repeated <= 100)
        }
      }
    }

    /// kill -9 while one side is away and what it is to get waits: it waits after the restart, too.
    @Test(.timeLimit(.minutes(3))) func killedWhileASideIsAway() async throws {
      async let partner: Void = kill(whileAway: .partner)
      async let platform: Void = kill(whileAway: .platform)
      _ = try await (partner, platform)
    }

    private func kill(whileAway side: Wires.Side) async throws {
      // Without its platform it is not ready, and serves nevertheless.
      try await withTraffic(adjust: { $0.readiness = "/healthz" }) { scene in
        for _ in 1...2 {
          let before = try await scene.state()
          try scene.wires.set(.down, side)
          try await scene.wait("messages for the \(side)") { $0.outward.sent >= before.outward.sent + Self.rate }
          await scene.stage.gateway.crash()
          try await scene.stage.gateway.restart()
          try await scene.wait("messages for the \(side)") { $0.outward.sent >= before.outward.sent + 2 * Self.rate }
          try scene.wires.set(.passing, side)
          let recovery = try await scene.settle("\(side), kill -9")
          let after = try await scene.state()
          print(
            "kill -9 with \(side) away: all there after \(recovery), repeated in "
              + "\(after.inward.repeated - before.inward.repeated) out \(after.outward.repeated - before.outward.repeated)"
          )
          for (old, new) in [(before.inward, after.inward), (before.outward, after.outward)] {
            #expect(
              new.repeated - old.repeated <= Self.underWay && new.reordered == 0 && new.idsChanged == 0, "\(side)")
            #expect(new.refusals.isEmpty, "\(new.refusals)")
          }
        }
      }
    }

    // MARK: Played sides

    struct State: Sendable {
      var inward: DeliveryLedger
      var outward: DeliveryLedger
    }

    /// A gateway with traffic that has begun to flow.
    struct Scene {
      let stage: LoadStage
      let wires: Wires
      let traffic: TwoWayTraffic

      func state() async throws -> State {
        let traffic = traffic
        return try await stage.loop.submit { State(inward: traffic.inward, outward: traffic.outward) }.get()
      }

      func offer(_ on: Bool) async throws {
        let traffic = traffic
        try await stage.loop.submit {
          traffic.offersInward = on
          traffic.offersOutward = on
        }.get()
      }

      func wait(
        _ what: String, within limit: Duration = .seconds(30), _ condition: @escaping @Sendable (TwoWayTraffic) -> Bool
      ) async throws {
        let traffic = traffic
        let end = ContinuousClock.now + limit
        while try await !stage.loop.submit({ condition(traffic) }).get() {
          if ContinuousClock.now >= end {
            let summary = try await stage.loop.submit { traffic.summary }.get()
            throw LabError("no \(what) within \(limit): \(summary)", log: stage.gateway.log.tail(20))
          }
          try await Task.sleep(for: .milliseconds(20))
        }
      }

      /// Waits until all that was written so far has arrived or come back.
      @discardableResult
      func settle(_ what: String) async throws -> Duration {
        let mark = try await state()
        let start = ContinuousClock.now
        try await wait("end of \(what)", within: .seconds(60)) {
          $0.isSettled(inward: mark.inward.sent, outward: mark.outward.sent)
        }
        return ContinuousClock.now - start
      }
    }

    /// - Parameter count: nil: steadily, `rate` in each direction.
    private func withTraffic(
      count: Int? = nil, throughNamespace: Bool = false, adjust: (inout GatewayConfiguration) -> Void = { _ in },
      _ body: (Scene) async throws -> Void
    ) async throws {
      try await withWorkspace { workspace in
        let namespace = throughNamespace ? try await NetworkNamespace(in: workspace) : nil
        var wires: Wires?
        let stage = try await LoadStage(in: workspace, logLevel: "info") { configuration in
          configuration.beImpatient()
          adjust(&configuration)
          wires = try Wires(&configuration, through: namespace)
        }
        let scene = Scene(
          stage: stage, wires: wires!,
          traffic: TwoWayTraffic(
            partner: stage.partner, platform: stage.platform, ports: wires!.ports, count: count ?? .max, users: 10,
            pace: count == nil ? .milliseconds(Int64(1000 / Self.rate)) : nil))
        let traffic = scene.traffic
        var failure: (any Error)?
        do {
          try await stage.loop.submit { traffic.start() }.get()
          try await scene.wait("first messages") { $0.inward.seen.count >= 20 && $0.outward.seen.count >= 20 }
          try await body(scene)
          try await stage.loop.submit { traffic.finish() }.get()
          try await scene.wait("complete delivery", within: .seconds(60)) { $0.isComplete }
          let end = try await scene.state()
          #expect(end.inward.missing.isEmpty && end.outward.missing.isEmpty, "acknowledged and lost")
        } catch {
          failure = error
        }
        #expect(stage.gateway.process.isRunning, "drawbridge ended: \(stage.gateway.log.tail(5))")
        try await stage.loop.submit { traffic.stop() }.get()
        await stage.close()
        await namespace?.close()
        if let failure { throw failure }
      }
    }
  }
}

extension GatewayConfiguration {
  /// Quick retries and short patience, so that a test takes seconds.
  mutating func beImpatient() {
    more["queue", default: [:]].merge(
      ["retry-minimum": "\"100ms\"", "retry-maximum": "\"1s\"", "answer-delay": "\"100ms\""]) { $1 }
    more["xmpp", default: [:]].merge(["confirmation-timeout": "\"2s\"", "negotiation-timeout": "\"3s\""]) { $1 }
    for index in platforms.indices { platforms[index].more["check-interval"] = "\"5s\"" }
  }
}
