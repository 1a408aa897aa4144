import BrokerCore

/// A sender and a recipient. Between the two, order is kept.
struct Pair: Hashable, Sendable {
  /// The contact on the other network.
  var sender: Address
  /// The platform's user.
  var recipient: Address

  init(sender: Address, recipient: Address) {
    self.sender = sender.bare
    self.recipient = recipient.bare
  }

  init(_ entry: Entry) { self.init(sender: entry.sender, recipient: entry.recipient) }
}

/// The broker's entries that wait for their turn: of each pair one is under way at a time, the others behind it.
struct PairQueue {
  private struct Line {
    var waiting = Fifo<Entry>()
    var underWay: EntryID?
  }

  enum Admission {
    case queued
    /// Held already.
    case known
    /// At the limit.
    case full
  }

  private let limit: Int
  private var lines: [Pair: Line] = [:]
  /// Pairs that have something waiting and nothing under way.
  private var ready = Fifo<Pair>()
  private var held: Set<EntryID> = []
  private(set) var underWay = 0

  init(limit: Int) { self.limit = limit }

  var count: Int { held.count }

  func holds(_ id: EntryID) -> Bool { held.contains(id) }

  func isBusy(_ pair: Pair) -> Bool { lines[pair] != nil }

  mutating func add(_ entry: Entry) -> Admission {
    guard !held.contains(entry.id) else { return .known }
    guard held.count < limit else { return .full }
    held.insert(entry.id)
    let pair = Pair(entry)
    lines[pair, default: Line()].waiting.append(entry)
    if lines[pair]?.underWay == nil, lines[pair]?.waiting.count == 1 { ready.append(pair) }
    return .queued
  }

  /// The next entry that may set off.
  mutating func next() -> Entry? {
    while let pair = ready.popFirst() {
      // The pair may have been given back since.
      guard let line = lines[pair], line.underWay == nil, let entry = lines[pair]?.waiting.popFirst() else { continue }
      lines[pair]?.underWay = entry.id
      underWay += 1
      return entry
    }
    return nil
  }

  /// The entry under way has an outcome. False where it is no longer held.
  mutating func finished(_ entry: Entry) -> Bool {
    guard held.remove(entry.id) != nil else { return false }
    let pair = Pair(entry)
    guard lines[pair]?.underWay == entry.id else { return true }
    underWay -= 1
    lines[pair]?.underWay = nil
    if lines[pair]?.waiting.isEmpty == true { lines[pair] = nil } else { ready.append(pair) }
    return true
  }

  /// The entry under way has to set off once more, before all others of its pair.
  mutating func again(_ entry: Entry) {
    let pair = Pair(entry)
    guard lines[pair]?.underWay == entry.id else { return }
    underWay -= 1
    lines[pair]?.underWay = nil
    lines[pair]?.waiting.prepend(entry)
    ready.append(pair)
  }

  /// Lets go of everything of the pair. In order.
  mutating func giveBack(_ pair: Pair) -> [EntryID] {
    guard var line = lines.removeValue(forKey: pair) else { return [] }
    var ids: [EntryID] = []
    if let id = line.underWay {
      underWay -= 1
      ids.append(id)
    }
    ids += line.waiting.takeAll().map(\.id)
    for id in ids { held.remove(id) }
    return ids
  }

  /// Lets go of everything.
  mutating func giveBackAll() -> [(Pair, [EntryID])] {
    defer { self = PairQueue(limit: limit) }
    return Array(lines.keys).map { ($0, giveBack($0)) }
  }
}
