import BrokerCore
import Foundation
import Logging
import Synchronization
import Testing

@testable import LMDBStore

/// No room, no disk, no process.
@Suite struct StoreTroubleTests {
  @Test func aFullMapFailsEntriesAndIsEmptiedAgain() throws {
    let fixture = try StoreFixture()
    var options = LMDBStoreOptions.unhurried
    options.maximumSize = 1 << 20
    options.batchEntries = 64
    let body = String(repeating: "x", count: 3000)
    try fixture.submit((1...1000).map { .append($0, body: body) }, options)
    #expect(!fixture.committed.isEmpty)
    #expect(!fixture.failed.isEmpty)
    #expect((fixture.committed + fixture.failed).sorted() == Array(1...1000))
    #expect(Set(fixture.failureReasons) == ["the store has reached its maximum size"])
    #expect(fixture.log.text.components(separatedBy: "store cannot write").count == 2)

    // Full to the last page, it still takes removals; and then entries again.
    let kept = fixture.committed
    #expect(try fixture.recovered().ids == kept)
    try fixture.submit(kept.dropFirst().map { .remove($0) }, options)
    #expect(try fixture.recovered().ids == [kept[0]])
    try fixture.submit((2001...2010).map { .append($0, body: body) }, options)
    #expect(try fixture.recovered().ids == [kept[0]] + Array(2001...2010))
  }

  /// The disk refuses (a limit on the file's size stands in for it), the store says so, and works again as soon as it
  /// does not, without a restart. In a process of its own, because the limit holds for all of it.
  @Test func aFullDiskFailsEntriesAndHeals() async throws {
    let fixture = try StoreFixture()
    await #expect(processExitsWith: .success) { [path = fixture.path as String] in
      signal(SIGXFSZ, SIG_IGN)
      var options = LMDBStoreOptions(maximumSize: 64 << 20)
      options.retryDelay = .milliseconds(1)
      let events = EventQueue()
      let (store, _) = try LMDBStore.open(
        path: path, options: options, logger: Logger(label: "store") { _ in SwiftLogNoOpLogHandler() },
        onEvent: { events.add($0) })
      let body = String(repeating: "x", count: 100_000)
      store.submit([.append(1, body: body)])
      guard case .committed([EntryID(rawValue: 1)]) = events.next() else { exit(2) }

      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let unlimited = limit.rlim_cur
      limit.rlim_cur = rlim_t(store.statistics.usedBytes)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      store.submit([.append(2, body: body), .append(3, body: body), .remove(1)])
      guard case .failed([EntryID(rawValue: 2), EntryID(rawValue: 3)], let reason) = events.next(),
        reason.contains("File too large"), store.statistics.trouble == reason
      else { exit(3) }

      limit.rlim_cur = unlimited
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      store.submit([.append(4, body: body)])
      guard case .committed([EntryID(rawValue: 4)]) = events.next() else { exit(4) }
      guard store.statistics.trouble == nil else { exit(5) }
      store.close()
      exit(EXIT_SUCCESS)
    }
    #expect(try fixture.recovered().ids == [4])
  }

  /// Killed in the middle of appends and removals: whatever was told to be durable is there, in order, once.
  @Test(arguments: [1, 700, 5000])
  func kill9LosesNothingThatWasCommitted(after count: Int) async throws {
    let fixture = try StoreFixture()
    let path = fixture.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, count = count as Int] in
      let told = open(path + ".told", O_WRONLY | O_CREAT | O_APPEND, 0o600)
      let committed = Atomic<Int>(0)
      let (store, _) = try LMDBStore.open(
        path: path, logger: Logger(label: "store") { _ in SwiftLogNoOpLogHandler() },
        onEvent: { event in
          // One write for an event: what is in the file was told, whole.
          guard case .committed(let ids) = event else { return }
          let text = ids.map { "\($0.rawValue)\n" }.joined()
          _ = write(told, text, text.utf8.count)
          committed.add(ids.count, ordering: .relaxed)
        })
      var id: UInt64 = 0
      while true {
        id += 1
        store.submit([.append(id, body: "message \(id)")])
        // Every tenth is removed, some before they are written, some after.
        if id % 10 == 0 { store.submit([.remove(id - id % 100 / 2)]) }
        if committed.load(ordering: .relaxed) >= count { kill(getpid(), SIGKILL) }
        if id % 50 == 0 { usleep(100) }
      }
    }
    let told = try String(contentsOfFile: path + ".told", encoding: .utf8).split(separator: "\n").compactMap {
      UInt64($0)
    }
    #expect(told.count >= count)
    let recovered = try fixture.recovered()
    let removable = Set((1...(told.max() ?? 1) * 2 + 100).filter { $0 % 10 == 0 }.map { $0 - $0 % 100 / 2 })
    let found = Set(recovered.ids)
    let missing = told.filter { !found.contains($0) && !removable.contains($0) }
    #expect(missing.isEmpty)
    #expect(recovered.ids == recovered.ids.sorted())
    #expect(recovered.entries.allSatisfy { $0 == .sample($0.id.rawValue, body: "message \($0.id.rawValue)") })
    #expect(recovered.lastID.rawValue >= recovered.ids.max() ?? 0)
  }
}

/// Hands events from the writer thread to a test that waits for them.
final class EventQueue: Sendable {
  private let events = Mutex<[StoreEvent]>([])
  private let available = DispatchSemaphore(value: 0)

  func add(_ event: StoreEvent) {
    events.withLock { $0.append(event) }
    available.signal()
  }

  func next() -> StoreEvent {
    available.wait()
    return events.withLock { $0.removeFirst() }
  }
}
