import NIOCore

extension Connection {
  /// Sends what is queued, says goodbye and waits for the peer's side, or not if that is closed already.
  func drain(_ reason: CloseReason) {
    guard case .open = phase else { return }
    flush()
    // Flushing may have failed.
    guard case .open = phase else { return }
    phase = .draining(reason)
    if case .secured(let engine) = security {
      engine.shutdown()
      sendCiphertext(of: engine)
    }
    stopTimers()
    closeTimer = schedule(in: limits.closeDeadline) { $0.finish(reason) }
    setAutoRead(true)
    if reason == .local, !inputEnded {
      // Waits for what is queued. The peer's FIN then ends the matter.
      channel.close(mode: .output, promise: nil)
    } else {
      let sent = eventLoop.makePromise(of: Void.self)
      sent.futureResult.assumeIsolated().whenComplete { [self] _ in finish(reason) }
      channel.writeAndFlush(ByteBuffer(), promise: sent)
    }
  }

  /// The peer has said that it is done, or has just gone.
  func peerEnded(_ reason: CloseReason) {
    switch phase {
    case .open: drain(reason)
    case .draining(.local): finish(.local)
    case .draining, .closed: break
    }
  }

  func channelInactive() {
    if case .draining(let reason) = phase { return finish(reason) }
    finish(.reset(lastError ?? "connection lost"))
  }

  /// The end, whatever led to it.
  func finish(_ reason: CloseReason) {
    if case .closed = phase { return }
    // What goes wrong after the end was decided changes nothing about why.
    let reason = if case .draining(let decided) = phase { decided } else { reason }
    phase = .closed
    stopTimers()
    outbox = ByteBuffer()
    inbox = ByteBuffer()
    channel.close(mode: .all, promise: nil)
    // Later, so that no caller finds itself called back, and after everything else.
    eventLoop.assumeIsolated().execute { [self] in
      security = .clear
      onClosed?()
      onClosed = nil
      handler?.connectionClosed(self, reason: reason)
      handler = nil
    }
  }

  private func stopTimers() {
    for timer in [handshakeTimer, closeTimer, stallTimer] { timer?.cancel() }
    handshakeTimer = nil
    closeTimer = nil
    stallTimer = nil
  }
}
