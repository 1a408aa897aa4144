import BrokerCore
import Testing

@testable import SIPAdapter

@Suite struct SIPTimersTests {
  @Test func theEarliestComesFirstWhateverItsDuration() {
    var timers = Timers<String>()
    _ = timers.start("late", after: 500, now: 0)
    _ = timers.start("early", after: 100, now: 50)
    _ = timers.start("last", after: 500, now: 60)
    #expect(timers.nextDeadline() == 150)
    #expect(timers.takeDue(now: 149) == nil)
    #expect(timers.takeDue(now: 1000) == "early")
    #expect(timers.takeDue(now: 1000) == "late")
    #expect(timers.takeDue(now: 1000) == "last")
    #expect(timers.takeDue(now: 1000) == nil)
    #expect(timers.nextDeadline() == nil)
  }

  @Test func stoppedOnesDoNotFire() {
    var timers = Timers<Int>()
    let ids = (0..<1000).map { timers.start($0, after: 100, now: Int64($0)) }
    for id in ids.dropLast() { timers.stop(id) }
    timers.stop(nil)
    #expect(timers.count == 1)
    #expect(timers.nextDeadline() == 1099)
    #expect(timers.takeDue(now: 5000) == 999)
    timers.stop(ids[999])
    #expect(timers.count == 0)
  }

  @Test func fifo() {
    var queue = Fifo<Int>()
    for value in 0..<200 { queue.append(value) }
    for value in 0..<150 { #expect(queue.popFirst() == value) }
    queue.prepend(149)
    #expect(queue.count == 51)
    #expect(queue.first == 149)
    #expect(queue.takeAll() == Array(149..<200))
    #expect(queue.isEmpty)
    #expect(queue.popFirst() == nil)
    queue.prepend(1)
    #expect(queue.popFirst() == 1)
  }

  @Test func thePairQueueKeepsOrderWhateverHappens() {
    var queue = PairQueue(limit: 10)
    func entry(_ id: UInt64) -> Entry {
      SIPHarness.entry(id, .message(Message(id: "", from: SIPHarness.alice, to: SIPHarness.bob, body: "")))
    }
    let entries = (1...4).map { entry($0) }
    for entry in entries { _ = queue.add(entry) }
    #expect(queue.next() == entries[0])
    #expect(queue.next() == nil)
    queue.again(entries[0])
    #expect(queue.next() == entries[0])
    let first = queue.finished(entries[0])
    #expect(first)
    let twice = queue.finished(entries[0])
    #expect(!twice)
    #expect(queue.next() == entries[1])
    #expect(queue.giveBack(Pair(entries[1])) == entries[1...3].map(\.id))
    #expect(queue.count == 0)
    #expect(queue.underWay == 0)
    #expect(queue.next() == nil)
  }
}
