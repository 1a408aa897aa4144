import BrokerCore
import Synchronization

/// Joins store and broker, which need each other: the store is opened first, since the broker starts with what it
/// recovered, and its events wait here until there is a broker.
final class StoreRelay: Sendable {
  private struct State {
    var driver: BrokerDriver?
    var waiting: [StoreEvent] = []
  }

  private let state = Mutex(State())

  func tell(_ event: StoreEvent) {
    let driver = state.withLock { state in
      if state.driver == nil { state.waiting.append(event) }
      return state.driver
    }
    driver?.stored(event)
  }

  func connect(_ driver: BrokerDriver) {
    let waiting = state.withLock { state in
      state.driver = driver
      return state.waiting
    }
    for event in waiting { driver.stored(event) }
  }
}
