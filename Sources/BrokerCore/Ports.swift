// The ports: everything that crosses between the broker and what surrounds it. Values go over in batches, so that a
// busy moment costs one hop between event loops and not one for each message.

/// Names a message that an adapter handed in and that still waits for its answer. Chosen by the adapter, unique
/// within it for the life of the process.
package struct SubmissionID: Hashable, Sendable {
  package var rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A message as an adapter hands it in.
package struct Submission: Sendable {
  /// When the sender is to be answered.
  package enum AnswerPolicy: Sendable {
    /// As soon as the message is safe: delivered or durable. A later failure goes back as a report (XMPP).
    case whenSafe
    /// When the outcome is known; if it is not known soon, as soon as the message is durable (SIP).
    case whenKnown
  }

  package var id: SubmissionID
  package var message: Message
  package var answer: AnswerPolicy
  /// The connection the message came on. One connection never carries the same message twice, so an equal message on
  /// the same connection is a new one; on another it is a retry. 0: the id alone identifies the message.
  package var source: UInt64

  package init(id: SubmissionID, message: Message, answer: AnswerPolicy, source: UInt64) {
    self.id = id
    self.message = message
    self.answer = answer
    self.source = source
  }
}

/// What became of a submission.
package enum Answer: Hashable, Sendable {
  /// The far side confirmed it.
  case delivered
  /// It is durable here and will be delivered, or its sender told why not.
  case stored
  /// It was not taken. The adapter tells the sender.
  case refused(DeliveryError)
}

/// What an adapter tells the broker.
package enum BrokerEvent: Sendable {
  case submitted(Submission)
  case signalled(Signal)
  /// The far side confirmed the entry.
  case delivered(EntryID)
  /// The far side will never take it.
  case refused(EntryID, DeliveryError)
  /// It could not be delivered now; later may do. Given for one (sender, recipient) pair: the adapter hands back every
  /// younger entry of that pair too.
  case deferred([EntryID], DeliveryError)
  /// The destination answers: what waits for it may go.
  case reached(Destination)
  /// The destination does not answer. Every entry the adapter holds for it is back in the queue.
  case lost(Destination, DeliveryError, Permanence)

  package enum Permanence: Sendable {
    /// An outage: it may be over in a moment.
    case transient
    /// Wrong name, wrong certificate, refused by policy: only an operator can mend it.
    case permanent
  }
}

/// What the broker tells an adapter.
package enum AdapterCommand: Sendable {
  /// Deliver, in this order, and report each with `delivered`, `refused`, `deferred` or, for all, `lost`. An adapter that
  /// has no connection to the destination opens one.
  case deliver(Entry)
  case signal(Signal, Destination)
  case answer(SubmissionID, Answer)
}

/// The broker as an adapter sees it. Callable from any thread; events are taken in the order given.
package protocol BrokerPort: Sendable {
  func submit(_ events: [BrokerEvent])
}

/// An adapter as the broker sees it. Callable from any thread; commands are taken in the order given.
package protocol AdapterPort: Sendable {
  func perform(_ commands: [AdapterCommand])
}

/// What the broker asks of the store, in order.
package enum StoreOperation: Sendable {
  case append(Entry)
  case remove(EntryID)
  /// The destination answered at this time. Kept so that after a restart an outage can be told from a wrong set-up.
  case reached(Destination, Timestamp)
}

/// What the store found when it was opened.
package struct Recovered: Sendable {
  /// In the order of their ids.
  package var entries: [Entry]
  package var reached: [Destination: Timestamp]
  /// The largest id ever given out, 0 for a new store. Ids are not used again, even if their entries are gone.
  package var lastID: EntryID

  package init(entries: [Entry], reached: [Destination: Timestamp], lastID: EntryID) {
    self.entries = entries
    self.reached = reached
    self.lastID = lastID
  }
}

/// What the store tells the broker after it has written.
package enum StoreEvent: Sendable {
  /// These are on disk: a power cut does not lose them.
  case committed([EntryID])
  /// These could not be written and never will be.
  case failed([EntryID], reason: String)
}

/// The durable delivery queue as the broker sees it. Never blocks its caller: operations are queued and written by
/// another thread, many to one synchronous commit. An entry that is removed before it was written is never written,
/// and no event tells of it.
package protocol DeliveryStore: Sendable {
  func submit(_ operations: [StoreOperation])
}
