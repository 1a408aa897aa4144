import Foundation
import NIOCore
import Testing

@testable import Lab

extension InteropTests {
  /// Contract 1, counted: what the gateway acknowledged arrives, in order, whatever happens to the gateway or to those around
  /// it. The traffic goes on all the while and sends again what was not acknowledged, as real servers do.
  @Suite(.serialized) struct DurabilityTests {
    static let count = 10_000

    /// Runs the traffic; `disturb` is called once for each mark of progress that is passed (messages that have arrived in both
    /// directions together).
    private func traffic(
      count: Int = count, marks: [Int], limit: Duration = .seconds(120),
      adjust: (inout GatewayConfiguration) -> Void = { _ in },
      disturb: (LoadStage, TwoWayTraffic, Int) async throws -> Void
    ) async throws -> (inward: DeliveryLedger, outward: DeliveryLedger) {
      let workspace = try Workspace()
      let stage = try await LoadStage(in: workspace, logLevel: "info", adjust: adjust)
      let traffic = TwoWayTraffic(partner: stage.partner, platform: stage.platform, ports: stage.ports, count: count)
      let progress = Progress(marks: marks)
      try await stage.loop.submit {
        traffic.onProgress = { progress.advance(to: $0.inward.seen.count + $0.outward.seen.count) }
        traffic.start()
      }.get()
      do {
        for index in marks.indices {
          guard try await waitUntil(within: limit, { progress.passed > index }) else { break }
          try await disturb(stage, traffic, index)
        }
        let complete = try await traffic.completes(within: limit)
        let result = try await stage.loop.submit { (traffic.inward, traffic.outward, traffic.summary) }.get()
        #expect(complete, "\(result.2)\n\(stage.gateway.log.tail(15).joined(separator: "\n"))")
        try await stage.loop.submit { traffic.stop() }.get()
        await stage.close()
        await workspace.close()
        return (result.0, result.1)
      } catch {
        await workspace.close()
        throw error
      }
    }

    private func check(
      _ ledger: DeliveryLedger, _ name: String, repeats allowed: Int, comment: String = ""
    ) {
      print(
        "\(name): sent \(ledger.sent), acknowledged \(ledger.acknowledged.count), arrived \(ledger.seen.count), "
          + "missing \(ledger.missing.count), repeated \(ledger.repeated), out of order \(ledger.reordered) \(comment)")
      #expect(ledger.missing.isEmpty, "acknowledged and lost: \(ledger.missing.sorted().prefix(10))")
      #expect(ledger.reordered == 0)
      #expect(ledger.repeated <= allowed)
      #expect(ledger.idsChanged == 0, "a repeated message carries the same id")
      #expect(ledger.refused.isEmpty)
    }

    @Test(.timeLimit(.minutes(4))) func killedThreeTimesInTheMiddle() async throws {
      let (inward, outward) = try await traffic(marks: [4000, 9000, 14_000]) { stage, _, _ in
        await stage.gateway.crash()
        try await stage.gateway.restart()
      }
      // In flight at each kill: at most the partner's window, and one message of each platform user.
      check(inward, "partner to platform", repeats: 3 * 400, comment: "after 3 kills")
      check(outward, "platform to partner", repeats: 3 * 25, comment: "after 3 kills")
    }
  }
}

/// Progress marks, passed on the event loop, waited for by the test.
private final class Progress: @unchecked Sendable {
  private let lock = NSLock()
  private let marks: [Int]
  private var reached = 0

  init(marks: [Int]) { self.marks = marks }

  func advance(to count: Int) { lock.withLock { reached = max(reached, count) } }

  var passed: Int { lock.withLock { marks.prefix { $0 <= reached }.count } }
}
