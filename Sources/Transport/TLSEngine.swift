import COpenSSL
import NIOCore

/// One TLS connection without its socket: ciphertext goes in and comes out as `ByteBuffer`s.
///
/// OpenSSL reads from `inbound` and writes to `outbound` through a BIO of our own, which spares the two copies and the
/// never shrinking memory of OpenSSL's memory BIOs. Whoever drives the engine calls `feed`, then `handshake` or `read`,
/// then sends what `takeOutbound` gives. Confined to its connection's event loop.
@safe final class TLSEngine {
  enum Handshake {
    /// More bytes of the peer are needed.
    case needsInput
    case done
    case failed(String)
  }

  enum Reading {
    case needsInput
    /// The buffer is full; there may be more.
    case bufferFull
    /// The peer sent close_notify (RFC 8446 §6.1): all it had to say has been read.
    case closed
    case failed(String)
  }

  let context: TLSContext
  var verification = TLSVerification()
  fileprivate var inbound = ByteBuffer()
  fileprivate var outbound = ByteBuffer()
  private let ssl: OpaquePointer
  private let requestedName: String?
  /// After a fatal error OpenSSL must not be called again.
  private var failed = false

  /// - Parameter serverName: what a client asks for; not sent if it is an address (RFC 6066 §3).
  /// - Returns: nil if OpenSSL is out of memory or cannot take the name.
  init?(context: TLSContext, serverName: String?) {
    guard let ssl = unsafe context.makeSSL() else { return nil }
    guard let bio = unsafe BIO_new(bufferBIO) else {
      unsafe SSL_free(ssl)
      return nil
    }
    self.context = context
    unsafe self.ssl = ssl
    requestedName = context.role == .client ? serverName.flatMap { IPAddress($0) == nil ? $0.lowercased() : nil } : nil
    let pointer = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe BIO_set_data(bio, pointer)
    unsafe BIO_set_init(bio, 1)
    unsafe SSL_set_bio(ssl, bio, bio)
    unsafe SSL_set_ex_data(ssl, tlsEngineIndex, pointer)
    // OpenSSL keeps a buffer of this size while the handshake lasts; ours are of a few records.
    unsafe shim_SSL_set_record_size(ssl, Self.handshakeFragment)
    if let requestedName, unsafe shim_SSL_set_tlsext_host_name(ssl, requestedName) != 1 { return nil }
  }

  deinit {
    unsafe SSL_free(ssl)
  }

  private static let handshakeFragment = 2048

  func feed(_ buffer: ByteBuffer) {
    if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeImmutableBuffer(buffer) }
  }

  /// Ciphertext for the peer, if there is any.
  func takeOutbound() -> ByteBuffer? {
    guard outbound.readableBytes > 0 else { return nil }
    let buffer = outbound
    outbound = ByteBuffer()
    return buffer
  }

  func handshake() -> Handshake {
    guard !failed else { return .failed("the handshake failed") }
    ERR_clear_error()
    let result = unsafe SSL_do_handshake(ssl)
    releaseInput()
    if result == 1 {
      unsafe shim_SSL_set_record_size(ssl, Int(SSL3_RT_MAX_PLAIN_LENGTH))
      return .done
    }
    if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .needsInput }
    failed = true
    return .failed(TLSFailure.text(certificate: verification.failures))
  }

  /// Decrypts into `buffer`, as many records as fit.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> (count: Int, Reading) {
    guard !failed else { return (0, .failed("the connection has failed")) }
    ERR_clear_error()
    var filled = 0
    while let start = buffer.baseAddress, filled < buffer.count {
      var count = 0
      let result = unsafe SSL_read_ex(ssl, start + filled, buffer.count - filled, &count)
      if result == 1 {
        filled += count
        continue
      }
      releaseInput()
      switch unsafe SSL_get_error(ssl, result) {
      case SSL_ERROR_WANT_READ: return (filled, .needsInput)
      case SSL_ERROR_ZERO_RETURN: return (filled, .closed)
      default:
        failed = true
        return (filled, .failed(TLSFailure.text(certificate: verification.failures)))
      }
    }
    return (filled, .bufferFull)
  }

  /// Encrypts all of `bytes` to the outbound buffer.
  /// - Returns: nil, or why it could not.
  func write(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard !failed else { return "the connection has failed" }
    guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
    // 22 bytes around each record of at most 16 KiB in TLS 1.3, 29 in TLS 1.2.
    outbound.reserveCapacity(minimumWritableBytes: bytes.count + (bytes.count / 16384 + 1) * 32)
    ERR_clear_error()
    var written = 0
    // The BIO takes everything at once and renegotiation is off, so nothing can make a write wait.
    let result = unsafe SSL_write_ex(ssl, start, bytes.count, &written)
    if result == 1, written == bytes.count { return nil }
    failed = true
    return TLSFailure.text(certificate: verification.failures)
  }

  /// Writes close_notify.
  func shutdown() {
    guard !failed else { return }
    ERR_clear_error()
    unsafe SSL_shutdown(ssl)
  }

  /// To be asked after the handshake.
  func session() -> TLSSession {
    unsafe TLSSession(
      version: String(cString: SSL_get_version(ssl)),
      cipher: String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))),
      alpn: alpn(),
      serverName: context.role == .client ? requestedName : receivedServerName(),
      peer: peerCertificate())
  }

  private func alpn() -> String? {
    var name: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &name, &length)
    guard let name = unsafe name, length > 0 else { return nil }
    return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
  }

  private func receivedServerName() -> String? {
    guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
    return unsafe String(cString: name).lowercased()
  }

  private func peerCertificate() -> PeerCertificate? {
    guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
    let failures = verification.ran ? verification.failures : ["certificate was not verified"]
    return unsafe CertificateReader.read(certificate, failures: failures)
  }

  /// Gives the buffer back to the channel as soon as it is read out.
  private func releaseInput() {
    if inbound.readableBytes == 0 { inbound = ByteBuffer() }
  }
}

/// The BIO's type. Made once; there is no memory to make anything else either if this fails.
private nonisolated(unsafe) let bufferBIO: OpaquePointer? = {
  let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
  guard let method = unsafe BIO_meth_new(type, "NIO ByteBuffer") else { return nil }
  unsafe BIO_meth_set_read(method) { bio, bytes, count in
    guard let bytes = unsafe bytes, count > 0, let engine = unsafe attachedEngine(of: bio) else { return -1 }
    unsafe shim_BIO_clear_retry_flags(bio)
    let available = min(Int(count), engine.inbound.readableBytes)
    guard available > 0 else {
      unsafe shim_BIO_set_retry_read(bio)
      return -1
    }
    unsafe engine.inbound.readWithUnsafeReadableBytes { source in
      if let start = source.baseAddress {
        unsafe UnsafeMutableRawPointer(bytes).copyMemory(from: start, byteCount: available)
      }
      return available
    }
    return Int32(available)
  }
  unsafe BIO_meth_set_write(method) { bio, bytes, count in
    guard let bytes = unsafe bytes, count > 0, let engine = unsafe attachedEngine(of: bio) else { return -1 }
    unsafe shim_BIO_clear_retry_flags(bio)
    unsafe engine.outbound.writeBytes(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    return count
  }
  unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
  return unsafe method
}()

private func attachedEngine(of bio: OpaquePointer?) -> TLSEngine? {
  guard let pointer = unsafe BIO_get_data(bio) else { return nil }
  return unsafe Unmanaged<TLSEngine>.fromOpaque(pointer).takeUnretainedValue()
}
