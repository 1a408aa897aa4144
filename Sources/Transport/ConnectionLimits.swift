package import NIOCore

/// What one connection may cost, in time and in memory.
package struct ConnectionLimits: Sendable {
  /// From the start of TLS to the end of its handshake.
  package var handshakeDeadline: TimeAmount = .seconds(10)
  /// What a client may send until its handshake is done, its certificates included. OpenSSL keeps all of a message
  /// until it is complete, and takes first ones of 128 KiB.
  package var handshakeBytes = 12 * 1024
  /// From `close()` until the connection is torn down even if the peer has not closed its side (RFC 6120 §4.4).
  package var closeDeadline: TimeAmount = .seconds(5)
  /// What the peer may still send after `close()`; who goes on regardless is cut off. Enough for what was on the way
  /// when it learnt of the end.
  package var closeBytes = 1024 * 1024
  /// How long a peer may leave us above the high-water mark (a reader that does not read).
  package var writeStallDeadline: TimeAmount = .seconds(60)
  /// How long sent data may stay unacknowledged before the kernel gives the connection up (TCP_USER_TIMEOUT,
  /// RFC 5482): finds a peer that fell silent. Zero leaves the kernel's default of many minutes.
  package var silentPeerTimeout: TimeAmount = .seconds(30)
  /// The largest read. What the last read needed is kept for the next one.
  package var readBytes = 32 * 1024
  /// Bytes waiting for the kernel above which `isWritable` is false …
  package var highWaterMark = 128 * 1024
  /// … and below which it is true again.
  package var lowWaterMark = 32 * 1024
  /// Bytes waiting for the kernel above which the connection is cut: its owner did not heed `isWritable`, or the peer
  /// makes us answer (TLS key updates) without reading.
  package var sendBufferCap = 16 * 1024 * 1024

  package init() {}
}
