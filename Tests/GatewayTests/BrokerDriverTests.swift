import BrokerCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import Gateway

@Suite struct BrokerDriverTests {
  private static let corp = Destination(adapter: AdapterID("sip"), domain: "corp.test")

  private final class Adapter: AdapterPort {
    let commands = NIOLockedValueBox<[AdapterCommand]>([])
    func perform(_ commands: [AdapterCommand]) { self.commands.withLockedValue { $0 += commands } }
  }

  private final class Store: DeliveryStore {
    let operations = NIOLockedValueBox<[StoreOperation]>([])
    func submit(_ operations: [StoreOperation]) { self.operations.withLockedValue { $0 += operations } }
  }

  /// An adapter listens, and may even have reached its peer, before the last one is started.
  @Test func whatComesBeforeEverythingIsConnectedIsNotLost() async throws {
    let broker = Broker(
      options: BrokerOptions(),
      routes: Routes([
        Route(side: .partner, adapter: AdapterID("xmpp"), domain: "partner.test"),
        Route(side: .organisation, adapter: AdapterID("sip"), domain: "corp.test"),
      ]),
      recovered: Recovered(entries: [], reached: [:], lastID: EntryID(rawValue: 0)), seed: 1,
      now: Timestamp(milliseconds: 0))
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let driver = try await BrokerDriver.start(
      broker, on: loop, clock: { Timestamp(milliseconds: 1) }, observe: { _ in }
    ).get()
    let message = Message(
      id: "1", from: Address(user: "a", domain: "partner.test"), to: Address(user: "b", domain: "corp.test"), body: "x")
    driver.port(for: AdapterID("xmpp")).submit([
      .submitted(Submission(id: SubmissionID(rawValue: 1), message: message, answer: .whenSafe, source: 1))
    ])
    driver.port(for: AdapterID("sip")).submit([.reached(Self.corp)])
    _ = try await driver.status().get()
    let store = Store()
    let adapter = Adapter()
    driver.connect(store: store, adapters: [AdapterID("sip"): adapter])
    _ = try await driver.status().get()
    #expect(adapter.commands.withLockedValue { $0.count } == 1, "to be delivered")
    #expect(
      store.operations.withLockedValue {
        $0.contains { if case .append = $0 { true } else { false } }
      })
    try await driver.stop().get()
  }

  @Test func timeGoesOnWhenTheClockIsSetBack() {
    var time = SteadyTime()
    func at(_ milliseconds: Int64) -> Int64 { time.advance(to: Timestamp(milliseconds: milliseconds)).milliseconds }
    #expect(at(10_000) == 10_000)
    #expect(at(4_000) == 10_000)
    #expect(at(4_100) == 10_100)
    #expect(at(4_050) == 10_100)
    #expect(at(20_000) == 26_050)
  }
}
