/// What the broker wants done after it has taken its events. The driver hands the parts to the store, the adapters, the
/// log and the metrics; their order among each other does not matter.
package struct BrokerActions: Sendable {
  package var store: [StoreOperation] = []
  package var commands: [(adapter: AdapterID, commands: [AdapterCommand])] = []
  package var notes: [BrokerNote] = []

  package init() {}

  package var isEmpty: Bool { store.isEmpty && commands.isEmpty && notes.isEmpty }

  mutating func tell(_ adapter: AdapterID, _ command: AdapterCommand) {
    // Two or three adapters: a scan beats a dictionary.
    for index in commands.indices where commands[index].adapter == adapter {
      commands[index].commands.append(command)
      return
    }
    commands.append((adapter, [command]))
  }
}

/// What happened, for log and metrics. Holds addresses only where an operator needs them, never a body.
package enum BrokerNote: Sendable {
  case refused(Message, by: AdapterID, DeliveryError)
  /// A retry of a message that was taken before.
  case duplicate(EntryID, by: AdapterID)
  case accepted(Destination)
  case delivered(Entry, after: Duration)
  /// An accepted message will not be delivered; its sender is told.
  case bounced(Entry, DeliveryError, expired: Bool)
  /// A failure report could not be delivered either and is dropped: an error never answers an error.
  case reportDropped(Entry, DeliveryError)
  case up(Destination, waiting: Int)
  case down(Destination, DeliveryError, kept: Int, retry: Duration)
  case notDurable(EntryID, reason: String)
}
