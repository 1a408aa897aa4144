import NIOCore

// How received bytes reach the handler: kernel → channel → (TLS) → handler.
extension Connection {
  /// Plaintext handed over at once: two full TLS records.
  private static let deliverySize = 32 * 1024

  private var wantsBytes: Bool { !isPaused && handler != nil }

  private var isOpen: Bool {
    if case .open = phase { true } else { false }
  }

  func channelActive() {
    remotePort = channel.remoteAddress?.port ?? 0
    localPort = channel.localAddress?.port ?? 0
    let address = channel.remoteAddress?.ipAddress ?? ""
    remoteAddress = IPAddress(address)?.text ?? address
  }

  func channelRead(_ buffer: ByteBuffer) {
    bytesReceived += buffer.readableBytes
    if case .draining(let reason) = phase {
      bytesDropped += buffer.readableBytes
      if bytesDropped > limits.closeBytes { return finish(reason) }
    }
    switch (phase, security) {
    case (.closed, _), (.draining, .clear):
      break
    case (.open, .clear):
      receiveClear(buffer)
    case (_, .handshaking(let engine)), (_, .secured(let engine)):
      engine.feed(buffer)
      advance(engine)
    }
  }

  /// The handler came, or wants to go on.
  func readingMayContinue() {
    guard isOpen, wantsBytes else { return }
    setAutoRead(true)
    guard !isReading, inputEnded || inbox.readableBytes > 0 || hasCiphertext else { return }
    // Not from within the handler's own call.
    eventLoop.assumeIsolated().execute { [self] in deliverWhatWaits() }
  }

  private var hasCiphertext: Bool {
    // Records that OpenSSL has begun to read count as well, so any secured connection is worth a look.
    if case .secured = security { true } else { false }
  }

  private func deliverWhatWaits() {
    guard isOpen, wantsBytes, !isReading else { return }
    if case .secured(let engine) = security {
      readPlaintext(of: engine)
    } else if inbox.readableBytes > 0 {
      let waiting = inbox
      inbox = ByteBuffer()
      receiveClear(waiting)
    }
    if inputEnded, isOpen, wantsBytes { inputDidEnd() }
  }

  private func receiveClear(_ buffer: ByteBuffer) {
    guard wantsBytes, inbox.readableBytes == 0, let handler else {
      inbox.writeImmutableBuffer(buffer)
      setAutoRead(false)
      return
    }
    isReading = true
    unsafe buffer.withUnsafeReadableBytes { unsafe handler.connection(self, received: $0) }
    isReading = false
  }

  /// Delivers what can be decrypted.
  func readPlaintext(of engine: TLSEngine) {
    guard !isReading else { return }
    isReading = true
    unsafe withUnsafeTemporaryAllocation(byteCount: Self.deliverySize, alignment: 16) { buffer in
      var more = true
      while more {
        switch phase {
        case .closed: return
        case .open where !wantsBytes: return setAutoRead(false)
        case .open, .draining: break
        }
        let (count, outcome) = unsafe engine.read(into: buffer)
        if count > 0, isOpen {
          unsafe handler?.connection(self, received: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        more = act(on: outcome, engine)
      }
    }
    isReading = false
  }

  /// - Returns: whether to read on.
  private func act(on outcome: TLSEngine.Reading, _ engine: TLSEngine) -> Bool {
    switch outcome {
    case .bufferFull:
      return true
    case .needsInput:
      // Answers of the protocol itself, such as to a key update.
      sendCiphertext(of: engine)
    case .closed:
      peerEnded(.remote)
    case .failed(let text):
      sendCiphertext(of: engine)
      finish(.tls(text))
    }
    return false
  }

  func channelInputClosed() {
    inputEnded = true
    // What the peer sent before comes first.
    if case .handshaking = security { return inputDidEnd() }
    if isOpen, !wantsBytes { return }
    inputDidEnd()
  }

  private func inputDidEnd() {
    switch security {
    case .clear:
      guard inbox.readableBytes == 0 else { return }
      peerEnded(.remote)
    case .handshaking:
      finish(.reset("peer closed the connection during the TLS handshake"))
    case .secured:
      // Without close_notify an attacker may have cut the rest off (RFC 8446 §6.1).
      peerEnded(.reset("peer closed the connection without close_notify"))
    }
  }

  func channelFailed(_ error: any Error) {
    lastError = SystemError.text(error)
  }

  /// From now on, instead of `ConnectionLimits.readBytes`: for a peer that has shown who it is.
  package func setReadSize(_ bytes: Int) {
    try? ChannelSettings.setReadSize(bytes, of: channel)
  }

  func setAutoRead(_ wanted: Bool) {
    try? channel.syncOptions?.setOption(.autoRead, value: wanted)
  }
}
