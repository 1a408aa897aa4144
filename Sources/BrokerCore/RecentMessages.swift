import DequeModule

/// What identifies a message for the purpose of recognising a retry: a 128-bit digest over sender, recipient, id and
/// body. Seeded afresh in every process, so nobody can prepare two messages that collide.
struct MessageKey: Hashable, Sendable {
  private var high: UInt64
  private var low: UInt64

  init(_ message: Message) {
    func digest(_ salt: UInt8) -> UInt64 {
      var hasher = Hasher()
      hasher.combine(salt)
      hasher.combine(message.from)
      hasher.combine(message.to)
      hasher.combine(message.id)
      hasher.combine(message.body)
      return UInt64(bitPattern: Int64(hasher.finalize()))
    }
    high = digest(1)
    low = digest(2)
  }
}

/// The messages of the last minutes: by their key, to recognise a retry; by their entry, to report a refusal that
/// comes after the confirmation. Bounded in count and age; the oldest go first.
struct RecentMessages: Sendable {
  struct Sighting: Sendable {
    var entry: EntryID
    var source: UInt64
  }

  /// Enough of a delivered message to tell its sender later that it failed after all. No body.
  struct Delivered: Sendable {
    var messageID: String
    var from: Address
    var to: Address
    var thread: String?
    var accepted: Timestamp
  }

  private var byKey: [MessageKey: Sighting] = [:]
  private var byEntry: [EntryID: Delivered] = [:]
  private var order: Deque<(key: MessageKey, entry: EntryID, until: Timestamp)> = []
  /// Apart from `order`: a message may be delivered long after its key was forgotten.
  private var deliveries: Deque<(entry: EntryID, until: Timestamp)> = []
  private let capacity: Int
  private let keepFor: Duration

  init(capacity: Int, keepFor: Duration) {
    self.capacity = capacity
    self.keepFor = keepFor
  }

  /// The sighting that makes a submission a retry. The same connection never repeats a message, and an id that its
  /// sender did not give proves nothing.
  func retried(_ key: MessageKey, source: UInt64, messageID: String) -> Sighting? {
    guard !messageID.isEmpty, let sighting = byKey[key] else { return nil }
    return sighting.source == source && source != 0 ? nil : sighting
  }

  mutating func saw(_ key: MessageKey, as entry: EntryID, source: UInt64, now: Timestamp) {
    byKey[key] = Sighting(entry: entry, source: source)
    order.append((key, entry, now + keepFor))
    if order.count > capacity { dropOldest() }
  }

  /// Id and thread of one delivered message. Thousands are remembered, and either may be as long as a stanza; the sender
  /// of longer ones is not told of a late refusal.
  private static let rememberedBytes = 1024

  mutating func delivered(_ message: Message, as entry: EntryID, accepted: Timestamp, now: Timestamp) {
    guard message.id.utf8.count + (message.thread?.utf8.count ?? 0) <= Self.rememberedBytes else { return }
    byEntry[entry] = Delivered(
      messageID: message.id, from: message.from, to: message.to, thread: message.thread, accepted: accepted)
    deliveries.append((entry, now + keepFor))
    if deliveries.count > capacity { byEntry[deliveries.removeFirst().entry] = nil }
  }

  /// A refused message may be tried again by its sender: it is no longer known.
  mutating func forget(_ key: MessageKey, entry: EntryID) {
    if byKey[key]?.entry == entry { byKey[key] = nil }
  }

  mutating func takeDelivered(_ entry: EntryID) -> Delivered? { byEntry.removeValue(forKey: entry) }

  mutating func expire(now: Timestamp) {
    while let first = order.first, first.until <= now { dropOldest() }
    while let first = deliveries.first, first.until <= now { byEntry[deliveries.removeFirst().entry] = nil }
  }

  /// Of which a late refusal would be reported.
  var deliveredCount: Int { byEntry.count }

  private mutating func dropOldest() {
    let (key, entry, _) = order.removeFirst()
    forget(key, entry: entry)
  }
}
