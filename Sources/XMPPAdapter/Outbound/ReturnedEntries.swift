import BrokerCore
import XMPPCore

/// Entries that went back to the broker when their stream was lost. It may have sent younger ones off before it heard of
/// that: those have to go back as well, or they would overtake. One that comes again shows that the broker has heard.
struct ReturnedEntries {
  private var ids: Set<EntryID> = []
  private var until = StreamTime(milliseconds: .min)

  mutating func add(_ entries: [Entry], until: StreamTime) {
    ids.formUnion(entries.lazy.map(\.id))
    self.until = until
  }

  mutating func mustFollow(_ id: EntryID, now: StreamTime) -> Bool {
    guard !ids.isEmpty else { return false }
    if ids.contains(id) || now >= until {
      ids = []
      return false
    }
    ids.insert(id)
    return true
  }
}
