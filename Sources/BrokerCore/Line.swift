import DequeModule

/// A sender and a recipient: between the two, order is kept.
struct Pair: Hashable, Sendable {
  var sender: Address
  var recipient: Address

  init(_ entry: Entry) {
    sender = entry.sender.bare
    recipient = entry.recipient.bare
  }
}

/// Everything that waits for one destination, in order.
///
/// An id is in exactly one of three places: `waiting`, `inFlight` (an adapter has it), or the hold of its pair. Ids whose
/// entry is gone may remain in `waiting` or in a hold; they are skipped when their turn comes.
struct Line: Sendable {
  enum State: Sendable {
    /// Nobody has tried yet.
    case untried
    case up
    /// The last attempt failed; the next is due at `retry`.
    case down(DeliveryError, retry: Timestamp)
  }

  struct Hold: Sendable {
    var until: Timestamp
    var ids: [EntryID]
  }

  let destination: Destination
  var state: State = .untried
  var lastReached: Timestamp?
  /// When `lastReached` was last given to the store.
  var storedReached: Timestamp?
  var failures = 0
  var waiting: Deque<EntryID> = []
  var inFlight: Set<EntryID> = []
  var holds: [Pair: Hold] = [:]
  var count = 0
  var bytes = 0
  /// Nothing of the line expires before. Failure reports live longer than the messages behind them, so this is not
  /// always that of the oldest.
  var soonestExpiry: Timestamp?

  init(destination: Destination) { self.destination = destination }

  /// All of them, wherever they are.
  var ids: [EntryID] { waiting + Array(inFlight) + holds.values.flatMap(\.ids) }

  /// Puts ids back in front, in order: they were handed out earlier than everything that still waits.
  mutating func putBack(_ ids: some Sequence<EntryID>) {
    let sorted = ids.sorted()
    guard let last = sorted.last else { return }
    if let first = waiting.first, first < last {
      waiting = Deque((sorted + waiting).sorted())
    } else {
      waiting.prepend(contentsOf: sorted)
    }
  }

  /// The adapter holds nothing for this destination any longer.
  mutating func recallAll() {
    putBack(inFlight)
    inFlight.removeAll(keepingCapacity: true)
  }

  mutating func releaseHolds(now: Timestamp) {
    guard !holds.isEmpty else { return }
    for (pair, hold) in holds where hold.until <= now {
      holds[pair] = nil
      putBack(hold.ids)
    }
  }
}
