import BrokerCore
import NIOCore

/// Runs the broker: takes events from adapters and store on one event loop, in batches, and carries out its actions.
///
/// Everything here happens on `loop`; the ports that it hands out may be called from any thread. There is no decision in
/// this file: those are in `Broker`.
final class BrokerDriver: Sendable {
  private typealias Work = (inout Broker, Timestamp, inout BrokerActions) -> Void

  /// What only the loop touches.
  private struct State {
    var broker: Broker
    var adapters: [AdapterID: any AdapterPort] = [:]
    /// nil until all are connected.
    var store: (any DeliveryStore)?
    /// What came before: adapters live from their start, and what the broker said then would reach nobody.
    var early: [Work] = []
    var time = SteadyTime()
    var ticking = false
    var isStopped = false
  }

  private let loop: any EventLoop
  private let state: NIOLoopBoundBox<State>
  private let observe: @Sendable (BrokerNote) -> Void
  private let clock: @Sendable () -> Timestamp

  /// Call on any thread, before anything can be submitted.
  static func start(
    _ broker: Broker, on loop: any EventLoop, clock: @escaping @Sendable () -> Timestamp,
    observe: @escaping @Sendable (BrokerNote) -> Void
  ) -> EventLoopFuture<BrokerDriver> {
    loop.submit { BrokerDriver(broker, loop: loop, clock: clock, observe: observe) }
  }

  private init(
    _ broker: Broker, loop: any EventLoop, clock: @escaping @Sendable () -> Timestamp,
    observe: @escaping @Sendable (BrokerNote) -> Void
  ) {
    self.loop = loop
    self.clock = clock
    self.observe = observe
    state = NIOLoopBoundBox(State(broker: broker), eventLoop: loop)
  }

  /// Connects the store and the adapters and sets off what was recovered.
  func connect(store: any DeliveryStore, adapters: [AdapterID: any AdapterPort]) {
    loop.execute {
      self.state.value.store = store
      self.state.value.adapters = adapters
      self.tick()
      let early = self.state.value.early
      self.state.value.early = []
      for work in early { self.turn(work) }
    }
  }

  /// The broker as this adapter sees it.
  func port(for adapter: AdapterID) -> any BrokerPort { Port(driver: self, adapter: adapter) }

  func stored(_ event: StoreEvent) {
    loop.execute {
      self.turn { broker, now, actions in broker.handle(event, now: now, into: &actions) }
    }
  }

  func status() -> EventLoopFuture<[Broker.LineStatus]> {
    loop.submit { self.state.value.broker.status }
  }

  /// Takes no events any longer. What is queued is in the store and waits for the next start.
  func stop() -> EventLoopFuture<Void> {
    loop.submit { self.state.value.isStopped = true }
  }

  private struct Port: BrokerPort {
    let driver: BrokerDriver
    let adapter: AdapterID

    func submit(_ events: [BrokerEvent]) {
      driver.loop.execute {
        driver.turn { broker, now, actions in
          for event in events { broker.handle(event, from: adapter, now: now, into: &actions) }
        }
      }
    }
  }

  private func turn(_ work: @escaping Work) {
    guard !state.value.isStopped else { return }
    guard let store = state.value.store else { return state.value.early.append(work) }
    var actions = BrokerActions()
    let now = state.value.time.advance(to: clock())
    work(&state.value.broker, now, &actions)
    if !actions.store.isEmpty { store.submit(actions.store) }
    for (adapter, commands) in actions.commands { state.value.adapters[adapter]?.perform(commands) }
    for note in actions.notes { observe(note) }
    if !state.value.ticking, state.value.broker.count > 0 {
      state.value.ticking = true
      loop.scheduleTask(in: .nanoseconds(Broker.tickInterval.inMilliseconds * 1_000_000)) { self.tick() }
    }
  }

  private func tick() {
    state.value.ticking = false
    turn { broker, now, actions in broker.tick(now: now, into: &actions) }
  }
}
