import BrokerCore
import Testing

@testable import LMDBStore

/// The bookkeeping alone, in invented time.
@Suite struct PendingWritesTests {
  let start = ContinuousClock.now

  func pending(_ change: (inout LMDBStoreOptions) -> Void = { _ in }) -> PendingWrites {
    var options = LMDBStoreOptions()
    change(&options)
    var reservation = IDReservation(last: 0, block: options.idBlock)
    reservation.written(options.idBlock)
    return PendingWrites(options: options, reservation: reservation)
  }

  func ids(_ batch: PendingWrites.Batch) -> [UInt64] { batch.entries.map(\.id.rawValue) }

  @Test func anAppendIsDueAfterTheWindowARemovalLater() {
    var pending = pending()
    #expect(pending.due == nil)
    pending.add(.remove(99), now: start)
    #expect(pending.due == start + .milliseconds(50))
    pending.add(.append(1), now: start + .milliseconds(1))
    #expect(pending.due == start + .milliseconds(3))
    let batch = pending.take()
    #expect(ids(batch) == [1])
    #expect(batch.removals == [EntryID(rawValue: 99)])
    #expect(pending.due == nil)
  }

  @Test func whatIsRemovedInTimeIsNeverDue() {
    var pending = pending()
    // One entry always waits, none for as long as the window.
    for id in UInt64(1)...20_000 {
      let now = start + .milliseconds(Int(id))
      pending.add(.append(id), now: now)
      if id > 1 { pending.add(.remove(id - 1), now: now) }
      #expect(pending.due == now + .milliseconds(2))
    }
    pending.add(.remove(20_000), now: start)
    #expect(pending.due == nil)
    #expect(pending.annihilated == 20_000)
    #expect(pending.take().isEmpty)
  }

  @Test func aRemovalAfterTheBatchWasTakenIsWritten() {
    var pending = pending()
    pending.add(.append(1), now: start)
    _ = pending.take()
    pending.add(.remove(1), now: start)
    #expect(pending.take().removals == [EntryID(rawValue: 1)])
    #expect(pending.annihilated == 0)
  }

  @Test func anEntryWrittenOnceIsRemovedEvenIfASecondOneWaits() {
    var pending = pending()
    pending.add(.append(1), now: start)
    _ = pending.take()
    pending.add(.append(1, body: "again"), now: start)
    pending.add(.remove(1), now: start)
    let batch = pending.take()
    #expect(batch.entries.isEmpty)
    #expect(batch.removals == [EntryID(rawValue: 1)])
  }

  @Test func orderOfIdsHoldsWhateverTheOrderOfAppends() {
    var pending = pending()
    for id in [5, 2, 9, 2, 7, 1, 9] as [UInt64] { pending.add(.append(id), now: start) }
    pending.add(.remove(5), now: start)
    pending.add(.append(3), now: start)
    #expect(ids(pending.take()) == [1, 2, 3, 7, 9])
    #expect(pending.due == nil)
  }

  @Test func aFullBatchDoesNotWait() {
    var pending = pending { $0.batchEntries = 3 }
    for id in UInt64(1)...2 { pending.add(.append(id), now: start) }
    #expect(pending.due == start + .milliseconds(2))
    for id in UInt64(3)...7 { pending.add(.append(id), now: start) }
    #expect(pending.due == start)
    #expect(ids(pending.take()) == [1, 2, 3])
    #expect(ids(pending.take()) == [4, 5, 6])
    #expect(pending.due == start + .milliseconds(2))
    pending.add(.remove(7), now: start)
    #expect(pending.due == nil)
  }

  @Test func bytesFillABatchToo() {
    var pending = pending { $0.batchBytes = 1000 }
    for id in UInt64(1)...3 { pending.add(.append(id, body: String(repeating: "x", count: 300)), now: start) }
    #expect(pending.due == start)
    #expect(ids(pending.take()) == [1, 2])
    #expect(ids(pending.take()) == [3])
  }

  @Test func theLatestTimeOfADestinationWins() {
    var pending = pending()
    let destination = Destination(adapter: AdapterID("xmpp"), domain: "partner.test")
    pending.add(.reached(destination, Timestamp(milliseconds: 1)), now: start)
    let failed = pending.take()
    pending.add(.reached(destination, Timestamp(milliseconds: 2)), now: start)
    pending.giveBack(failed, due: start)
    #expect(pending.take().reached == [destination: Timestamp(milliseconds: 2)])
  }

  @Test func whatIsGivenBackIsDueAtTheTimeGiven() {
    var pending = pending()
    pending.add(.remove(4), now: start)
    let batch = pending.take()
    pending.add(.remove(5), now: start + .seconds(9))
    pending.giveBack(batch, due: start + .seconds(1))
    #expect(pending.due == start + .seconds(1))
    #expect(pending.take().removals.map(\.rawValue) == [4, 5])
  }

  @Test func idsAreReservedBeforeTheyRunOut() {
    var pending = pending { $0.idBlock = 100 }
    pending.add(.append(50), now: start)
    pending.add(.remove(50), now: start)
    #expect(pending.due == nil)
    pending.add(.append(51), now: start)
    pending.add(.remove(51), now: start)
    #expect(pending.due == start)
    #expect(pending.take().reservation == 151)
    pending.reserved(151)
    pending.add(.append(52), now: start)
    #expect(pending.take().reservation == nil)
  }
}
