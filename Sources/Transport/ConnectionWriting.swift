import NIOCore

// How written bytes leave: outbox → (TLS) → channel → kernel.
extension Connection {
  var channelPendingBytes: Int {
    let bytes = try? channel.syncOptions?.getOption(.bufferedWritableBytes)
    return bytes ?? 0
  }

  func scheduleFlush() {
    guard !flushIsScheduled else { return }
    flushIsScheduled = true
    eventLoop.assumeIsolated().execute { [self] in
      flushIsScheduled = false
      flush()
      reportWritability()
    }
  }

  /// Hands the outbox to the channel. Before the end of a handshake it stays where it is.
  func flush() {
    if case .closed = phase { return }
    switch security {
    case .clear:
      guard outbox.readableBytes > 0 else { return }
      send(outbox)
      outbox = ByteBuffer()
    case .handshaking:
      break
    case .secured(let engine):
      guard outbox.readableBytes > 0 else { return }
      let problem = unsafe outbox.withUnsafeReadableBytes { unsafe engine.write($0) }
      outbox = ByteBuffer()
      if let problem { return finish(.tls(problem)) }
      sendCiphertext(of: engine)
    }
    enforceSendBufferCap()
  }

  func sendCiphertext(of engine: TLSEngine) {
    if let buffer = engine.takeOutbound() { send(buffer) }
  }

  private func send(_ buffer: ByteBuffer) {
    bytesSent += buffer.readableBytes
    channel.writeAndFlush(buffer, promise: nil)
  }

  private func enforceSendBufferCap() {
    // An unwritable channel is the rare case, so that the question costs nothing mostly.
    guard !isWritable, pendingBytes > limits.sendBufferCap else { return }
    finish(.limit("more than \(limits.sendBufferCap) bytes wait for the peer to read"))
  }

  /// The channel tells of it from within a write, twice if the kernel takes everything at once.
  func channelWritabilityChanged() {
    scheduleFlush()
  }

  /// Tells the handler of a change, never from within its own call to `write`.
  func reportWritability() {
    guard case .open = phase else { return }
    watchForStall()
    guard isWritable != reportedWritable else { return }
    reportedWritable = isWritable
    handler?.connectionWritabilityChanged(self)
  }

  private func watchForStall() {
    if channel.isWritable {
      stallTimer?.cancel()
      stallTimer = nil
    } else if stallTimer == nil {
      stallTimer = schedule(in: limits.writeStallDeadline) { connection in
        connection.finish(.timeout("peer has not read what was sent for \(connection.limits.writeStallDeadline.text)"))
      }
    }
  }

  /// A task on the loop that does not keep the connection alive.
  func schedule(in delay: TimeAmount, _ body: @escaping (Connection) -> Void) -> Scheduled<Void> {
    eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
      if let self { body(self) }
    }
  }
}
