import COpenSSL

/// What a handshake chooses from: the identity by server name, the protocol by ALPN. Filled while its context is made,
/// never changed afterwards.
@safe final class TLSChoices: @unchecked Sendable {
  /// Length-prefixed, in order of preference, as on the wire (RFC 7301 §3.1).
  let alpn: [UInt8]
  private var contexts: [String: OpaquePointer] = unsafe [:]

  init(alpn protocols: [String]) throws(TLSError) {
    var alpn: [UInt8] = []
    for name in protocols {
      guard (1...255).contains(name.utf8.count) else { throw TLSError("no such ALPN protocol: \(name)") }
      alpn.append(UInt8(name.utf8.count))
      alpn.append(contentsOf: name.utf8)
    }
    self.alpn = alpn
  }

  /// The first identity that names a domain keeps it.
  func add(_ context: OpaquePointer, for domain: String) {
    if unsafe contexts[domain] == nil { unsafe contexts[domain] = context }
  }

  func context(for domain: String) -> OpaquePointer? { unsafe contexts[domain] }
}

/// RFC 6066 §3. An unknown name gets the default identity: whether it fits is for the peer to judge.
let chooseIdentity: @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
  ssl, _, pointer in
  guard let pointer = unsafe pointer, let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
    return SSL_TLSEXT_ERR_NOACK
  }
  let choices = unsafe Unmanaged<TLSChoices>.fromOpaque(pointer).takeUnretainedValue()
  if let context = unsafe choices.context(for: String(cString: name).lowercased()) {
    unsafe SSL_set_SSL_CTX(ssl, context)
  }
  return SSL_TLSEXT_ERR_OK
}

/// RFC 7301 §3.2. Called only if the client offers protocols; without one in common the handshake fails, so that no
/// other protocol's bytes are ever taken for ours.
let chooseALPN:
  @convention(c) (
    OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?,
    UInt32, UnsafeMutableRawPointer?
  ) -> Int32 = { _, out, outLength, offered, offeredLength, pointer in
    guard let pointer = unsafe pointer, let out = unsafe out, let outLength = unsafe outLength,
      let offered = unsafe offered
    else { return SSL_TLSEXT_ERR_NOACK }
    let choices = unsafe Unmanaged<TLSChoices>.fromOpaque(pointer).takeUnretainedValue()
    let theirs = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    guard let (index, length) = unsafe commonProtocol(ours: choices.alpn, theirs: theirs) else {
      return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    // Into the client's list, which outlives the call.
    unsafe out.pointee = unsafe offered + index
    unsafe outLength.pointee = UInt8(length)
    return SSL_TLSEXT_ERR_OK
  }

/// Our first protocol that the peer offers: where its name starts in the peer's list, and its length.
func commonProtocol(ours: [UInt8], theirs: UnsafeBufferPointer<UInt8>) -> (index: Int, length: Int)? {
  var our = 0
  while our < ours.count {
    let length = Int(ours[our])
    let name = ours[(our + 1)..<(our + 1 + length)]
    var their = 0
    while their < theirs.count {
      let theirLength = unsafe Int(theirs[their])
      let end = their + 1 + theirLength
      guard end <= theirs.count else { break }
      if unsafe theirs[(their + 1)..<end].elementsEqual(name) { return (their + 1, length) }
      their = end
    }
    our += 1 + length
  }
  return nil
}
