/// What a connection tells its owner. All calls come on the connection's event loop, none from within a call that the
/// owner makes.
package protocol ConnectionHandler: AnyObject {
  /// The TLS handshake is over, after `startTLS` or on a direct TLS port. Not yet judged: see `TLSSession.peer`.
  func connectionSecured(_ connection: Connection, session: TLSSession)
  /// Plaintext. `bytes` is valid only during the call.
  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer)
  /// `isWritable` has changed.
  func connectionWritabilityChanged(_ connection: Connection)
  /// Exactly once; the last call.
  func connectionClosed(_ connection: Connection, reason: CloseReason)
}
