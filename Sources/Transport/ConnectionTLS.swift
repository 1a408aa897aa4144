import NIOCore

extension Connection {
  /// Starts TLS in the role that the context has; what was written before goes out in the clear, what is written from now on
  /// waits for the end of the handshake.
  ///
  /// Bytes that arrived in the clear and were not delivered yet end the connection: nobody may put words into the
  /// mouth of the peer that will authenticate (CVE-2011-0411). Bytes behind the command in the delivery at hand are for the
  /// caller to refuse.
  package func startTLS(_ context: TLSContext, serverName: String? = nil) {
    guard case .open = phase else { return }
    guard case .clear = security else { return finish(.tls("TLS was started twice")) }
    guard inbox.readableBytes == 0 else { return finish(.tls("peer sent data in the clear after STARTTLS")) }
    flush()
    guard let engine = TLSEngine(context: context, serverName: serverName) else {
      return finish(.tls("TLS cannot be started: \(TLSFailure.nextReason())"))
    }
    security = .handshaking(engine)
    bytesBeforeTLS = bytesReceived
    handshakeTimer = schedule(in: limits.handshakeDeadline) { connection in
      connection.finish(.timeout("TLS handshake did not end within \(connection.limits.handshakeDeadline.text)"))
    }
    // A handshake needs the peer's bytes even if nobody wants its plaintext yet.
    setAutoRead(true)
    if context.role == .client { advance(engine) }
  }

  /// Goes on with what the peer sent.
  func advance(_ engine: TLSEngine) {
    if case .handshaking = security { shakeHands(engine) }
    if case .secured = security { readPlaintext(of: engine) }
  }

  private func shakeHands(_ engine: TLSEngine) {
    let result = engine.handshake()
    sendCiphertext(of: engine)
    switch result {
    case .needsInput:
      guard engine.context.role == .server, bytesReceived - bytesBeforeTLS > limits.handshakeBytes else { break }
      finish(.tls("TLS handshake did not end within \(limits.handshakeBytes) bytes"))
    case .failed(let text):
      finish(.tls(text))
    case .done:
      handshakeTimer?.cancel()
      handshakeTimer = nil
      security = .secured(engine)
      let session = engine.session()
      self.session = session
      isReading = true
      handler?.connectionSecured(self, session: session)
      isReading = false
      flush()
      scheduleFlush()
    }
  }
}

extension TimeAmount {
  /// `10 s`, `50 ms`.
  var text: String {
    let milliseconds = nanoseconds / 1_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
  }
}
