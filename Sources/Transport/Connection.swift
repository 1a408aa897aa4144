import Glibc
package import NIOCore
import Synchronization

/// A TCP connection, in the clear or under TLS, that was accepted or dialled. Confined to its event loop: every call
/// must be made there, every callback comes there.
///
/// The life of one:
///
///     open ──close()──▶ draining ──peer closed too, or closeDeadline──▶ closed
///       │                  ▲
///       │  peer ended it ──┘  (what was written before is still sent)
///       └──abort(), error, deadline──▶ closed
///
/// `received` is called only while open, `connectionClosed` once, in a later turn of the loop than what caused it.
/// TLS runs beside this: clear → handshaking → secured.
package final class Connection {
  enum Phase {
    case open
    /// Nothing is delivered or accepted any more; what is queued still goes out. Then closed, for the given reason.
    case draining(CloseReason)
    case closed
  }

  enum Security {
    case clear
    case handshaking(TLSEngine)
    case secured(TLSEngine)
  }

  /// Unique in the process, never 0.
  package let id: UInt64
  package let eventLoop: any EventLoop
  /// Kept until the connection is closed. What arrives before there is a handler waits.
  package var handler: (any ConnectionHandler)? {
    didSet { if handler != nil { readingMayContinue() } }
  }
  /// Numeric; an IPv4 address mapped into IPv6 appears as IPv4.
  package internal(set) var remoteAddress = ""
  package internal(set) var remotePort = 0
  package internal(set) var localPort = 0
  /// nil while in the clear and while the handshake lasts.
  package internal(set) var session: TLSSession?
  /// Octets on the wire, TLS included.
  package internal(set) var bytesReceived = 0
  package internal(set) var bytesSent = 0

  let channel: any Channel
  let limits: ConnectionLimits
  var phase = Phase.open
  var security = Security.clear
  /// Plaintext not yet encrypted or handed to the channel.
  var outbox = ByteBuffer()
  var flushIsScheduled = false
  /// Cleartext that arrived while nobody wanted it.
  var inbox = ByteBuffer()
  var isPaused = false
  /// The peer has ended its side; told to the handler after all it sent.
  var inputEnded = false
  /// Received since we closed our side, and dropped.
  var bytesDropped = 0
  var isReading = false
  var reportedWritable = true
  var lastError: String?
  var handshakeTimer: Scheduled<Void>?
  /// `bytesReceived` when TLS was started.
  var bytesBeforeTLS = 0
  var closeTimer: Scheduled<Void>?
  var stallTimer: Scheduled<Void>?
  /// For who counts connections; called just before the handler's `connectionClosed`.
  var onClosed: (() -> Void)?

  private static let lastID = Atomic<UInt64>(0)

  init(channel: any Channel, limits: ConnectionLimits) {
    id = Self.lastID.add(1, ordering: .relaxed).newValue
    self.channel = channel
    self.limits = limits
    eventLoop = channel.eventLoop
  }

  // MARK: Writing

  /// Queues the bytes. Everything that is written in one turn of the loop goes out together at its end, as few TLS
  /// records and one system call. Ignored once the connection is closing.
  package func write(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe write($0) }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) {
    guard case .open = phase, bytes.count > 0 else { return }
    if outbox.capacity == 0 { outbox.reserveCapacity(max(Self.outboxReserve, bytes.count)) }
    unsafe outbox.writeBytes(bytes)
    if outbox.readableBytes >= Self.flushThreshold { flush() }
    scheduleFlush()
  }

  /// Octets that were written and not yet taken by the kernel.
  package var pendingBytes: Int { outbox.readableBytes + channelPendingBytes }

  /// Below the high-water mark. Who writes on regardless is cut off at `ConnectionLimits.sendBufferCap`.
  package var isWritable: Bool {
    guard case .open = phase else { return false }
    return channel.isWritable && outbox.readableBytes < limits.highWaterMark
  }

  // MARK: Reading

  /// Stops deliveries, and before long the peer: the kernel's receive window fills.
  package func pauseReading() {
    guard !isPaused else { return }
    isPaused = true
    // A handshake and a farewell go on: they need the peer's bytes.
    if case .handshaking = security { return }
    if case .open = phase { setAutoRead(false) }
  }

  package func resumeReading() {
    guard isPaused else { return }
    isPaused = false
    readingMayContinue()
  }

  // MARK: Ending

  /// Sends what is queued, close_notify and FIN, then waits for the peer's end, at most `closeDeadline`. What the
  /// peer still sends is read and dropped, at most `closeBytes`.
  package func close() {
    guard case .open = phase else { return }
    if case .handshaking = security { return finish(.local) }
    drain(.local)
  }

  /// Closes at once, by RST: what the peer does not take now is lost. The kernel would go on offering it for half a minute,
  /// and a peer that was silent would get it after all, beside what was sent again on another connection.
  package func abort(_ reason: CloseReason) {
    flush()
    if let options = channel as? any SocketOptionProvider {
      // It fails where there is no socket any longer, and then there is nothing to do.
      _ = options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
    finish(reason)
  }

  /// First capacity of the outbox: a handful of stanzas.
  private static let outboxReserve = 2048
  /// Plaintext that is not held back until the end of the turn: four TLS records.
  private static let flushThreshold = 64 * 1024
}
