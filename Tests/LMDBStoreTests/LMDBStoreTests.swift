import BrokerCore
import Foundation
import Testing

@testable import LMDBStore

@Suite struct LMDBStoreTests {
  @Test func entriesComeBackInOrderAfterARestart() throws {
    let fixture = try StoreFixture()
    let entries = EntryCodecTests.entries
    #expect(try fixture.submit(entries.map { .append($0) }).entries.isEmpty)
    #expect(fixture.committed == entries.map(\.id.rawValue))
    #expect(try fixture.recovered().entries == entries)
    try fixture.submit([.remove(2), .remove(1), .append(1000)])
    #expect(try fixture.recovered().ids == entries.map(\.id.rawValue).filter { $0 > 2 } + [1000])
    #expect(fixture.failed.isEmpty)
  }

  @Test func timesOfDestinationsComeBack() throws {
    let fixture = try StoreFixture()
    let a = Destination(adapter: AdapterID("xmpp"), domain: "partner.test")
    let b = Destination(adapter: AdapterID("skype"), domain: "partner.test")
    let long = Destination(adapter: AdapterID("xmpp"), domain: String(repeating: "x", count: 2000))
    try fixture.submit([.reached(a, Timestamp(milliseconds: 1)), .reached(b, Timestamp(milliseconds: -5))])
    try fixture.submit([.reached(a, Timestamp(milliseconds: 3)), .reached(long, Timestamp(milliseconds: 4))])
    #expect(
      try fixture.recovered().reached == [a: Timestamp(milliseconds: 3), b: Timestamp(milliseconds: -5)])
  }

  @Test func whatIsRemovedBeforeItIsWrittenIsNeverWritten() throws {
    let fixture = try StoreFixture()
    let (store, _) = try fixture.open()
    for id in UInt64(1)...1000 {
      store.submit([.append(id)])
      if id != 500 { store.submit([.remove(id)]) }
    }
    store.close()
    #expect(fixture.committed == [500])
    #expect(fixture.commitSizes == [1])
    #expect(store.statistics.written == 1)
    #expect(store.statistics.removed == 0)
    #expect(store.statistics.annihilated == 999)
    #expect(try fixture.recovered().ids == [500])
  }

  @Test func manyThreadsShareCommits() async throws {
    let fixture = try StoreFixture()
    let (store, _) = try fixture.open(LMDBStoreOptions(maximumSize: 64 << 20))
    await withTaskGroup(of: Void.self) { group in
      for part in UInt64(0)..<8 {
        group.addTask {
          for index in UInt64(1)...500 { store.submit([.append(part * 500 + index)]) }
        }
      }
    }
    store.close()
    #expect(fixture.committed.sorted() == Array(1...4000))
    #expect(fixture.commitSizes.count < 400)
    #expect(try fixture.recovered().ids == Array(1...4000))
  }

  @Test func nothingIsWrittenAfterClose() throws {
    let fixture = try StoreFixture()
    let (store, _) = try fixture.open()
    store.close()
    store.close()
    store.submit([.append(1)])
    #expect(try fixture.recovered().ids.isEmpty)
    #expect(fixture.committed.isEmpty)
  }

  @Test func aBatchLargerThanATransactionIsSplit() throws {
    let fixture = try StoreFixture()
    var options = LMDBStoreOptions.unhurried
    options.batchEntries = 100
    try fixture.submit((1...250).map { .append($0) }, options)
    #expect(fixture.committed == Array(1...250))
    #expect(fixture.commitSizes == [100, 100, 50])
  }

  // MARK: ids

  @Test func idsAreNotUsedAgain() throws {
    let fixture = try StoreFixture()
    #expect(try fixture.recovered().lastID.rawValue == 0)
    // Given out and delivered at once: nothing of them is ever written.
    let first = try fixture.recovered().lastID.rawValue
    try fixture.submit([.append(first + 5000), .remove(first + 5000)])
    let second = try fixture.recovered().lastID.rawValue
    #expect(second >= first + 5000)
    // Far beyond any reservation, written and removed again.
    try fixture.submit([.append(1 << 40)])
    try fixture.submit([.remove(1 << 40)])
    #expect(try fixture.recovered().lastID.rawValue >= 1 << 40)
  }

  // MARK: damage

  @Test func unreadableRecordsAreSetAside() throws {
    let fixture = try StoreFixture()
    try fixture.submit((1...3).map { .append($0) })
    try fixture.edit { (transaction) throws(LMDBFailure) in
      try transaction.put(\.entries, key: UInt64(2).bigEndianBytes, value: [1, 2, 3, 4, 5])
      try transaction.put(\.entries, key: UInt64(1 << 50).bigEndianBytes, value: [])
      try transaction.put(\.entries, key: [7], value: [9])
      try transaction.put(\.reached, key: [200, 1], value: [0])
    }
    let recovered = try fixture.recovered()
    #expect(recovered.ids == [1, 3])
    #expect(recovered.lastID.rawValue >= 1 << 50)
    #expect(recovered.reached.isEmpty)
    #expect(fixture.log.text.contains("stored entry cannot be read: set aside"))
    #expect(fixture.log.text.contains("checksum"))
    var kept: [[UInt8]: [UInt8]] = [:]
    try fixture.edit { (transaction) throws(LMDBFailure) in
      try transaction.forEach(\.quarantine) { kept[$0] = $1 }
    }
    #expect(
      kept == [
        UInt64(2).bigEndianBytes: [1, 2, 3, 4, 5], UInt64(1 << 50).bigEndianBytes: [], [7]: [9], [200, 1]: [0],
      ])
    #expect(try fixture.recovered().ids == [1, 3])
  }

  @Test func aNewerSchemaIsRefusedAndLeftAlone() throws {
    let fixture = try StoreFixture()
    try fixture.submit([.append(1)])
    try fixture.edit { (transaction) throws(LMDBFailure) in
      try Schema.mark(transaction, version: 9, minimumReader: 8)
    }
    let before = try Data(contentsOf: URL(filePath: fixture.path + "/data.mdb"))
    let expected = StoreError.newerSchema(path: fixture.path, version: 9, minimumReader: 8)
    #expect(throws: expected) { try fixture.recovered() }
    #expect(expected.description.contains(fixture.path))
    #expect(expected.description.contains("schema 9"))
    #expect(try Data(contentsOf: URL(filePath: fixture.path + "/data.mdb")) == before)
  }

  @Test func aNewerSchemaThatOnlyAddedIsRead() throws {
    let fixture = try StoreFixture()
    try fixture.submit([.append(1)])
    try fixture.edit { (transaction) throws(LMDBFailure) in
      try Schema.mark(transaction, version: 9, minimumReader: Schema.version)
    }
    #expect(try fixture.recovered().ids == [1])
  }

  @Test func whatIsNotAStoreIsRefused() throws {
    let fixture = try StoreFixture()
    try fixture.recovered()
    try Data(repeating: 0x5A, count: 20_000).write(to: URL(filePath: fixture.path + "/data.mdb"))
    let error = #expect(throws: StoreError.self) { try fixture.recovered() }
    #expect(error?.description.hasPrefix("the store \(fixture.path) is damaged: ") == true)
  }

  // MARK: files

  @Test func onlyOneProcessMayHaveIt() throws {
    let fixture = try StoreFixture()
    let (store, _) = try fixture.open()
    let expected = StoreError.locked(path: fixture.path, holder: "\(getpid())")
    #expect(throws: expected) { try fixture.open() }
    #expect(expected.description.contains("the store \(fixture.path) is in use by process \(getpid())"))
    store.close()
    #expect(try fixture.recovered().ids.isEmpty)
  }

  @Test func onlyTheOwnerMayRead() throws {
    let fixture = try StoreFixture()
    try fixture.recovered()
    for (name, mode) in [("", 0o700), ("/data.mdb", 0o600), ("/lock", 0o600)] {
      let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path + name)
      #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
    }
  }

  @Test func aPathThatCannotBeUsedIsNamed() throws {
    let missing = "/nonexistent-\(UUID())/store"
    let error = #expect(throws: StoreError.self) {
      try LMDBStore.open(path: missing, logger: .init(label: "test"), onEvent: { _ in })
    }
    #expect(error?.description.contains(missing) == true)
    #expect(error?.description.contains("No such file or directory") == true)
  }
}
