/// The broker's limits and times. Every one has a name in the configuration.
package struct BrokerOptions: Hashable, Sendable {
  /// Entries and bytes that may wait for one destination. Beyond: `resource-constraint` to the sender.
  package var entriesPerDestination = 10_000
  package var bytesPerDestination = 32 << 20
  /// Entries and bytes that may wait in all.
  package var entriesTotal = 100_000
  package var bytesTotal = 256 << 20
  /// How long an accepted message is tried before its sender is told that it failed.
  package var timeToLive: Duration = .seconds(3600)
  /// How long a failure report is tried before it is dropped.
  package var reportTimeToLive: Duration = .seconds(24 * 3600)
  /// How long a sender who wants to know the outcome waits for it before "accepted" is the answer.
  package var answerDelay: Duration = .seconds(2)
  /// The first and the longest pause between attempts at a destination that does not answer.
  package var retryMinimum: Duration = .seconds(1)
  package var retryMaximum: Duration = .seconds(60)
  /// How long a (sender, recipient) pair rests after one of its messages could not be delivered yet.
  package var pairRetry: Duration = .seconds(5)
  /// Entries handed to an adapter and not yet confirmed, per destination.
  package var window = 512
  /// A destination that answered within this time is presumed to be in an outage when it does not, and what is for it is
  /// kept. One that did not is presumed to be set up wrongly, and senders are told at once.
  package var outageMemory: Duration = .seconds(7 * 24 * 3600)
  /// The same for failures that only an operator can mend (no such host, wrong certificate): a server that answered a
  /// moment ago may be starting up.
  package var mistakeGrace: Duration = .seconds(300)
  /// Messages remembered after delivery, to recognise a retry and to report a late refusal.
  package var remembered = 20_000
  package var rememberFor: Duration = .seconds(600)

  package init() {}
}
