import BrokerCore

/// What waits to be written: pure bookkeeping, no I/O, told the time.
///
/// An entry that is removed while it waits is taken out again and costs nothing. Its place in the deadline goes with
/// it: while everything is delivered within the commit window, nothing is ever due.
struct PendingWrites {
  typealias Instant = ContinuousClock.Instant

  /// What one transaction writes.
  struct Batch {
    var entries: [Entry] = []
    var removals: [EntryID] = []
    var reached: [Destination: Timestamp] = [:]
    /// The end of the id block to reserve.
    var reservation: UInt64?

    var isEmpty: Bool { entries.isEmpty && removals.isEmpty && reached.isEmpty && reservation == nil }
  }

  private struct Slot {
    var id: EntryID
    /// nil: removed before it was written.
    var entry: Entry?
    var due: Instant
  }

  private let options: LMDBStoreOptions
  /// In the order of ids. `slots[..<first]` are empty; `slots[first]` is not, unless nothing waits.
  private var slots: [Slot] = []
  private var first = 0
  private var waiting = 0
  private var waitingBytes = 0
  private var removals: [EntryID] = []
  private var reached: [Destination: Timestamp] = [:]
  /// When removals, `reached` and reservation are due; appends have their own times.
  private var othersDue: Instant?
  private(set) var reservation: IDReservation
  /// Larger ids have never been written: to remove one of them from the queue is enough.
  private var highestTaken: EntryID
  /// Entries that were removed before they were written, since the start.
  private(set) var annihilated = 0

  init(options: LMDBStoreOptions, reservation: IDReservation) {
    self.options = options
    self.reservation = reservation
    highestTaken = EntryID(rawValue: reservation.highest)
  }

  mutating func add(_ operation: StoreOperation, now: Instant) {
    switch operation {
    case .append(let entry): append(entry, now)
    case .remove(let id): remove(id, now)
    case .reached(let destination, let time):
      reached[destination] = time
      othersAreDue(by: now + options.removalDelay)
    }
  }

  /// When the next transaction is to start, nil if there is nothing to write.
  var due: Instant? {
    guard waiting > 0 else { return othersDue }
    let full = waiting >= options.batchEntries || waitingBytes >= options.batchBytes
    let due = full ? slots[first].due - options.commitWindow : slots[first].due
    return othersDue.map { min($0, due) } ?? due
  }

  /// The oldest of what waits, as much as one transaction may hold.
  mutating func take() -> Batch {
    var batch = Batch(removals: removals, reached: reached, reservation: reservation.due)
    removals = []
    reached = [:]
    othersDue = nil
    var bytes = 0
    while batch.entries.count < options.batchEntries, bytes < options.batchBytes, waiting > 0,
      let entry = vacate(first)
    {
      batch.entries.append(entry)
      bytes += entry.cost
    }
    if let last = batch.entries.last { highestTaken = max(highestTaken, last.id) }
    return batch
  }

  /// What could not be written and must be tried again.
  mutating func giveBack(_ batch: Batch, due: Instant) {
    removals.insert(contentsOf: batch.removals, at: 0)
    reached.merge(batch.reached) { newer, _ in newer }
    if !batch.removals.isEmpty || !batch.reached.isEmpty || batch.reservation != nil { othersAreDue(by: due) }
  }

  mutating func reserved(_ end: UInt64) { reservation.written(end) }

  private mutating func append(_ entry: Entry, _ now: Instant) {
    reservation.given(entry.id.rawValue)
    if reservation.due != nil { othersAreDue(by: now) }
    // The broker gives ids in order. One out of order, or given again, must not make the array unsearchable.
    if let last = slots.last, last.id >= entry.id {
      let given = index(of: entry.id)
      if slots[given].id == entry.id { _ = vacate(given) }
    }
    let slot = Slot(id: entry.id, entry: entry, due: now + options.commitWindow)
    let index = index(of: entry.id)
    if index < slots.count && slots[index].id == entry.id {
      slots[index] = slot
    } else {
      slots.insert(slot, at: index)
    }
    first = min(first, index)
    waiting += 1
    waitingBytes += entry.cost
  }

  private mutating func remove(_ id: EntryID, _ now: Instant) {
    let index = index(of: id)
    if index < slots.count && slots[index].id == id && vacate(index) != nil {
      annihilated += 1
      if id > highestTaken { return }
    }
    removals.append(id)
    othersAreDue(by: now + options.removalDelay)
  }

  /// Takes the entry out of its slot and keeps `first` on the oldest that is left.
  private mutating func vacate(_ index: Int) -> Entry? {
    guard let entry = slots[index].entry else { return nil }
    slots[index].entry = nil
    waiting -= 1
    waitingBytes -= entry.cost
    if waiting == 0 {
      slots.removeAll(keepingCapacity: slots.count <= options.batchEntries)
      first = 0
    } else {
      while slots[first].entry == nil { first += 1 }
      // Keeps the array from growing for ever while some entry always waits.
      if first >= options.batchEntries && first * 2 > slots.count {
        slots.removeFirst(first)
        first = 0
      }
    }
    return entry
  }

  /// The first slot with this id or a larger one.
  private func index(of id: EntryID) -> Int {
    if let last = slots.last, last.id < id { return slots.count }
    var low = first
    var high = slots.count
    while low < high {
      let middle = low + (high - low) / 2
      if slots[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func othersAreDue(by time: Instant) {
    othersDue = othersDue.map { min($0, time) } ?? time
  }
}
