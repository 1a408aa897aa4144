import BrokerCore
import Logging
import SIPCore

/// A connection: the number that the transport gave it.
typealias FlowID = UInt64

/// What the engine wants done. In this order.
enum EngineAction {
  case write(FlowID, [UInt8])
  /// Send what was written, then end it.
  case close(FlowID)
  /// End it at once: the peer is dead or hostile.
  case abort(FlowID, String)
  /// Open a connection to the next hop; ends in `flowOpened` or `linkFailed`.
  case connect
  case pauseReading(FlowID)
  case resumeReading(FlowID)
  case observe(SIPAdapterEvent)
  case log(Logger.Level, String)
}

/// The connection to the next hop.
enum Link {
  /// None. `reconnect` runs unless we were stopped.
  case down(reconnect: TimerID?)
  case connecting
  /// Connected; whether anybody is at home is being asked.
  case probing(FlowID)
  case up(FlowID)

  var flow: FlowID? {
    switch self {
    case .down, .connecting: nil
    case .probing(let flow), .up(let flow): flow
    }
  }

  var isUp: Bool {
    if case .up = self { true } else { false }
  }
}

/// A connection as the engine sees it.
struct Flow {
  var framer: StreamFramer
  let direction: SIPAdapterEvent.Direction
  /// Its peer proved a name that we trust.
  let isTrusted: Bool
  /// For the log.
  let peer: String
  let opened: Int64
  var lastReceived: Int64
  /// When an unanswered OPTIONS was sent.
  var probed: Int64?
  /// Since when a part of a message has been waiting for its rest.
  var partialSince: Int64?
  /// Messages that the broker has not answered.
  var unanswered = 0
  var isPaused = false
  /// Our requests that wait for an answer on this connection.
  var requests = 0
  /// Messages in a row that could not be understood.
  var malformed = 0
  var check: TimerID?
}

/// One of our requests.
struct Client {
  enum Purpose {
    case probe
    /// An entry as a MESSAGE outside of any dialog.
    case page(Entry)
    /// An entry as a MESSAGE inside its pair's session with this serial number.
    case inSession(Entry, serial: UInt64)
    /// Opens the session with this serial number.
    case invite(Pair, serial: UInt64)
    case typing(Pair, serial: UInt64)
    /// Nobody waits for the outcome: BYE, CANCEL.
    case courtesy
  }

  var machine: ClientTransaction
  let purpose: Purpose
  let flow: FlowID
  let key: ClientTransactionKey
  let method: Method
  let started: Int64
  /// Of an INVITE: a dialog is made of it and the response.
  let invite: SIPRequest?
  var timer: TimerID?
}

/// One of the platform's requests.
struct Server {
  var machine: ServerTransaction
  /// The connection that the request came on last (RFC 3261 §18.2.2).
  var flow: FlowID
  let method: Method
  let started: Int64
  var timer: TimerID?
}

/// Entries of a pair that went back to the broker.
struct Returned {
  var ids: Set<EntryID> = []
  /// From then on the broker has heard of it, whether or not it sends one of them again.
  var until = Int64.min
}

/// A message that the broker has to answer for.
struct PendingSubmission {
  let key: ServerTransactionKey
  let flow: FlowID
  let request: SIPRequest
  /// It was for one endpoint and not for the user as such.
  let fullAddress: Bool
  let timer: TimerID
}

enum EngineTimer {
  case reconnect
  case flow(FlowID)
  case client(UInt64, TransactionTimer)
  case server(ServerTransactionKey, TransactionTimer)
  case submission(SubmissionID)
  /// The INVITE has rung long enough.
  case inviteDeadline(Pair, serial: UInt64)
  /// Our 2xx has not been acknowledged.
  case acknowledgement(Pair, serial: UInt64)
  /// Try an INVITE again that met the peer's own.
  case glare(Pair, serial: UInt64)
  case idle(Pair, serial: UInt64)
}

extension Duration {
  var milliseconds: Int64 { inMilliseconds }
}
