import COpenSSL

/// Makes an `SSL_CTX` as `TLSOptions` says.
@unsafe struct TLSContextBuilder {
  /// Bytes of a peer's certificate chain. Long ones have 8 KiB; nothing is known of the peer yet, so it must not
  /// cost much (the default is 100 KiB).
  static let certificateListLimit = 10 * 1024

  let role: TLSContext.Role
  let options: TLSOptions
  let store: OpaquePointer
  let choices: TLSChoices

  func build(identity: TLSIdentity?) throws(TLSError) -> OpaquePointer {
    ERR_clear_error()
    guard let context = unsafe SSL_CTX_new(role == .server ? TLS_server_method() : TLS_client_method()) else {
      throw TLSError("OpenSSL cannot make a context: \(TLSFailure.nextReason())")
    }
    do {
      unsafe try configure(context)
      if let identity { unsafe try use(identity, in: context) }
      unsafe try chooseProtocol(context)
    } catch {
      unsafe SSL_CTX_free(context)
      throw error
    }
    unsafe configureVerification(context)
    unsafe configureSessions(context)
    return unsafe context
  }

  private func configure(_ context: OpaquePointer) throws(TLSError) {
    // RFC 9325 §3.3 (compression), §3.5 (renegotiation: CVE-2021-32920 and its like).
    var flags = shim_SSL_OP_NO_COMPRESSION | shim_SSL_OP_NO_RENEGOTIATION
    if unsafe role == .server { flags |= shim_SSL_OP_CIPHER_SERVER_PREFERENCE }
    unsafe SSL_CTX_set_options(context, flags)
    // Idle connections keep no record buffers: about 34 KB each.
    unsafe shim_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
    unsafe SSL_CTX_set_security_level(context, 2)
    unsafe shim_SSL_CTX_set_max_cert_list(context, Self.certificateListLimit)
    let version = unsafe options.minimumVersion == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION
    guard unsafe shim_SSL_CTX_set_min_proto_version(context, version) == 1,
      unsafe shim_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1,
      unsafe SSL_CTX_set_ciphersuites(
        context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1
    else { throw TLSError("OpenSSL refuses the TLS settings: \(TLSFailure.nextReason())") }
    guard unsafe SSL_CTX_set_cipher_list(context, options.ciphers) == 1 else {
      throw unsafe TLSError("no such TLS cipher suites: \(options.ciphers) (\(TLSFailure.nextReason()))")
    }
  }

  private func use(_ identity: TLSIdentity, in context: OpaquePointer) throws(TLSError) {
    let material = identity.material
    guard unsafe SSL_CTX_use_certificate(context, material.leaf) == 1,
      unsafe SSL_CTX_use_PrivateKey(context, material.key) == 1
    else { throw TLSError("\(identity.certificateFile): cannot be used: \(TLSFailure.nextReason())") }
    for index in unsafe material.chain.indices {
      guard unsafe shim_SSL_CTX_add1_chain_cert(context, material.chain[index]) == 1 else {
        throw TLSError("\(identity.certificateFile): the chain cannot be used: \(TLSFailure.nextReason())")
      }
    }
  }

  private func chooseProtocol(_ context: OpaquePointer) throws(TLSError) {
    let pointer = unsafe Unmanaged.passUnretained(choices).toOpaque()
    if unsafe role == .server {
      unsafe shim_SSL_CTX_set_server_name_callback(context, chooseIdentity, pointer)
      if unsafe !choices.alpn.isEmpty { unsafe SSL_CTX_set_alpn_select_cb(context, chooseALPN, pointer) }
    } else if unsafe !choices.alpn.isEmpty {
      // 0 is success here, unlike everywhere else.
      guard unsafe SSL_CTX_set_alpn_protos(context, choices.alpn, UInt32(choices.alpn.count)) == 0 else {
        throw TLSError("OpenSSL refuses the ALPN protocols: \(TLSFailure.nextReason())")
      }
    }
  }

  private func configureVerification(_ context: OpaquePointer) {
    unsafe SSL_CTX_set1_cert_store(context, store)
    // A certificate is as good for a server as for a client (XEP-0178 practice: public authorities no longer issue
    // any with clientAuth).
    unsafe SSL_CTX_set_purpose(context, X509_PURPOSE_ANY)
    unsafe SSL_CTX_set_cert_verify_callback(context, verifyPeerChain, nil)
    var mode = SSL_VERIFY_PEER
    if unsafe role == .server {
      if unsafe !options.requestClientCertificate { mode = SSL_VERIFY_NONE }
      if unsafe options.requestClientCertificate && options.requireTrusted { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
    }
    unsafe SSL_CTX_set_verify(context, mode, nil)
  }

  /// See `TLSOptions.sessionTickets`. Clients keep no sessions.
  private func configureSessions(_ context: OpaquePointer) {
    unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    if unsafe role == .server && options.sessionTickets && !options.requestClientCertificate { return }
    unsafe SSL_CTX_set_options(context, shim_SSL_OP_NO_TICKET)
    unsafe SSL_CTX_set_num_tickets(context, 0)
  }
}
