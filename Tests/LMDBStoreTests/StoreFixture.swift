import BrokerCore
import Foundation
import Logging
import Synchronization

@testable import LMDBStore

/// A directory for one test, removed with it.
final class StoreFixture: Sendable {
  let path: String
  let log = Lines()
  private let seen = Mutex<[StoreEvent]>([])
  private let commits = Mutex<[StoreCommit]>([])

  init() throws {
    let parent = FileManager.default.temporaryDirectory.appending(path: "drawbridge-store-\(UUID())")
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    path = parent.appending(path: "store").path
  }

  deinit { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }

  func open(_ options: LMDBStoreOptions = .unhurried) throws -> (store: LMDBStore, recovered: Recovered) {
    let lines = log
    return try LMDBStore.open(
      path: path, options: options, logger: Logger(label: "store") { _ in lines },
      onEvent: { event in self.seen.withLock { $0.append(event) } },
      observer: { commit in self.commits.withLock { $0.append(commit) } })
  }

  /// Opens, submits, closes.
  @discardableResult
  func submit(_ operations: [StoreOperation], _ options: LMDBStoreOptions = .unhurried) throws -> Recovered {
    let (store, recovered) = try open(options)
    store.submit(operations)
    store.close()
    return recovered
  }

  /// What a fresh start finds.
  @discardableResult
  func recovered() throws -> Recovered { try submit([]) }

  /// Works on the file behind the store's back.
  func edit(_ body: (borrowing Transaction) throws(LMDBFailure) -> Void) throws {
    var environment = try Environment(path: path, mapSize: 1 << 20)
    try environment.write(body)
  }

  var committed: [UInt64] {
    seen.withLock { events in
      events.flatMap { event -> [UInt64] in if case .committed(let ids) = event { ids.map(\.rawValue) } else { [] } }
    }
  }

  var failed: [UInt64] {
    seen.withLock { events in
      events.flatMap { event -> [UInt64] in if case .failed(let ids, _) = event { ids.map(\.rawValue) } else { [] } }
    }
  }

  var failureReasons: [String] {
    seen.withLock { events in
      events.compactMap { event in if case .failed(_, let reason) = event { reason } else { nil } }
    }
  }

  var commitSizes: [Int] { commits.withLock { $0.map(\.entries) } }
}

/// Keeps the log.
struct Lines: LogHandler {
  private final class Storage: Sendable { let lines = Mutex<[String]>([]) }
  private let storage = Storage()
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    storage.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
  }

  var text: String { storage.lines.withLock { $0.joined(separator: "\n") } }
}

extension LMDBStoreOptions {
  /// Writes nothing until it is closed or a batch is full: what a test submits ends in one transaction.
  static var unhurried: LMDBStoreOptions {
    var options = LMDBStoreOptions(maximumSize: 64 << 20)
    options.commitWindow = .seconds(3600)
    options.removalDelay = .seconds(3600)
    return options
  }
}

extension Entry {
  static func sample(_ id: UInt64, body: String = "Hello") -> Entry {
    Entry(
      id: EntryID(rawValue: id), destination: Destination(adapter: AdapterID("xmpp"), domain: "partner.test"),
      content: .message(
        Message(
          id: "m\(id)", from: Address(user: "ann", domain: "corp.test"),
          to: Address(user: "bob", domain: "partner.test"), body: body)),
      accepted: Timestamp(milliseconds: 1_700_000_000_000 + Int64(id)),
      expires: Timestamp(milliseconds: 1_700_003_600_000 + Int64(id)))
  }
}

extension StoreOperation {
  static func append(_ id: UInt64, body: String = "Hello") -> StoreOperation { .append(.sample(id, body: body)) }
  static func remove(_ id: UInt64) -> StoreOperation { .remove(EntryID(rawValue: id)) }
}

extension Recovered {
  var ids: [UInt64] { entries.map(\.id.rawValue) }
}
