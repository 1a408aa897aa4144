import BrokerCore
import SIPCore

/// A conversation between a contact of the other network and a user of the platform: one dialog, opened by either side's
/// INVITE, with the messages of both inside (Skype for Business; RFC 7573 does the same around MSRP).
///
///     inviting ──2xx──▶ established ◀──ACK── answering
///        │ 491                │
///        ▼                    └─ BYE, idle, 481 …: gone
///     glare ──timer──▶ inviting
///
/// paged: the platform refused a session for this user, so messages go outside of one for a while.
struct IMSession {
  enum State {
    /// Our INVITE is on its way; the transaction's number.
    case inviting(UInt64)
    /// Our INVITE met the peer's and is to be tried again.
    case glare
    /// We answered the peer's INVITE with this and wait for the ACK; how long until it is repeated.
    case answering(SIPResponse, interval: Int64, since: Int64)
    case established
    case paged
  }

  /// Tells this session from an earlier one of the same pair.
  let serial: UInt64
  var state: State
  var dialog: Dialog?
  /// Where its requests go: the connection that the peer's INVITE came on, while it lasts; else the link.
  var flow: FlowID?
  /// The one entry of the pair that is under way, until the session can carry it.
  var waiting: Entry?
  var lastActivity: Int64
  /// Of its state: deadline of the INVITE, pause after glare, repetition of our 200.
  var timer: TimerID?
  var idleCheck: TimerID?
  var attempts = 1
  /// An INFO is on its way.
  var isTyping = false
  /// What it said last, and what to say after it.
  var toldTyping: Typing?
  var nextTyping: Typing?

  init(serial: UInt64, state: State, now: Int64) {
    self.serial = serial
    self.state = state
    lastActivity = now
  }
}
