import COpenSSL

/// The settings, keys and trust that connections are secured with. Cheap to share; replaced as a whole when the
/// configuration changes, connections keep the one they started with.
@safe package final class TLSContext: Sendable {
  enum Role { case client, server }

  let role: Role
  let requireTrusted: Bool
  /// One for each identity; the first is the default. `SSL_CTX` counts references atomically and is not changed after
  /// `init`.
  private nonisolated(unsafe) let contexts: [OpaquePointer]
  /// What the C callbacks point to; lives as long as the contexts.
  private let choices: TLSChoices

  /// - Parameter identities: chosen by the name that the peer asks for; the first is the default.
  package static func server(
    identities: [TLSIdentity], trust: TrustStore, options: TLSOptions
  ) throws(TLSError) -> TLSContext {
    guard !identities.isEmpty else { throw TLSError("a TLS server needs a certificate") }
    return try TLSContext(role: .server, identities: identities, trust: trust, options: options)
  }

  /// - Parameter identity: shown to servers that ask for one.
  package static func client(
    identity: TLSIdentity?, trust: TrustStore, options: TLSOptions
  ) throws(TLSError) -> TLSContext {
    try TLSContext(role: .client, identities: identity.map { [$0] } ?? [], trust: trust, options: options)
  }

  private init(role: Role, identities: [TLSIdentity], trust: TrustStore, options: TLSOptions) throws(TLSError) {
    let choices = try TLSChoices(alpn: options.alpn)
    let builder = unsafe TLSContextBuilder(role: role, options: options, store: try trust.load(), choices: choices)
    defer { unsafe X509_STORE_free(builder.store) }
    var contexts: [OpaquePointer] = unsafe []
    do {
      if identities.isEmpty { unsafe contexts.append(try builder.build(identity: nil)) }
      for identity in identities { unsafe contexts.append(try builder.build(identity: identity)) }
    } catch {
      for index in unsafe contexts.indices { unsafe SSL_CTX_free(contexts[index]) }
      throw error
    }
    for (index, identity) in identities.enumerated() {
      for domain in identity.domains { unsafe choices.add(contexts[index], for: domain) }
    }
    self.role = role
    self.requireTrusted = options.requireTrusted
    self.choices = choices
    unsafe self.contexts = contexts
  }

  deinit {
    for index in unsafe contexts.indices { unsafe SSL_CTX_free(contexts[index]) }
  }

  /// A new connection's state; owned by the caller.
  func makeSSL() -> OpaquePointer? {
    let ssl = unsafe SSL_new(contexts[0])
    if role == .server { unsafe SSL_set_accept_state(ssl) } else { unsafe SSL_set_connect_state(ssl) }
    return unsafe ssl
  }
}

extension TrustStore {
  /// A new X509_STORE; owned by the caller.
  func load() throws(TLSError) -> OpaquePointer {
    guard let store = unsafe X509_STORE_new() else { throw TLSError("out of memory") }
    switch self {
    case .none: break
    case .system: unsafe X509_STORE_set_default_paths(store)
    case .file(let file):
      guard unsafe X509_STORE_load_file(store, file) == 1 else {
        ERR_clear_error()
        unsafe X509_STORE_free(store)
        throw TLSError("\(file): cannot be read, or holds no certificate in PEM form")
      }
    }
    return unsafe store
  }
}
