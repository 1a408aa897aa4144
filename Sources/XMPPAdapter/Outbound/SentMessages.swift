package import BrokerCore
package import XMPPCore

/// Recognises the error stanzas that a partner sends for messages of ours, also after it confirmed them: a server
/// confirms that it took a message, and may still find that its user cannot have it.
package struct SentMessages: Sendable {
  private struct Key: Hashable {
    var id: String
    var sender: String
    var recipient: String
  }

  private let capacity: Int
  private var entries: [Key: EntryID] = [:]
  private var order: [Key] = []
  private var oldest = 0

  package init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// Only the users are compared. The domains are those of the link; and the answer may come from the account rather
  /// than from one device.
  package mutating func sent(id: String, from: JID, to: JID, entry: EntryID) {
    let key = Key(id: id, sender: from.local, recipient: to.local)
    // A repetition keeps its place.
    guard entries.updateValue(entry, forKey: key) == nil else { return }
    if order.count < capacity {
      order.append(key)
      return
    }
    entries[order[oldest]] = nil
    order[oldest] = key
    oldest = (oldest + 1) % capacity
  }

  /// The entry that the error from `sender` to `recipient` is about. Tells it once.
  package mutating func refused(id: String, from sender: JID, to recipient: JID) -> EntryID? {
    entries.removeValue(forKey: Key(id: id, sender: recipient.local, recipient: sender.local))
  }
}
