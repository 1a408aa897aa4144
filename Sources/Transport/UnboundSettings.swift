import CUnbound

/// How libunbound is set up.
enum UnboundSettings {
  /// RFC 6303, RFC 6761: names that unbound would answer itself with "does not exist". Whoever runs the name servers we
  /// are told to ask decides about them.
  private static let localZones = ["test.", "home.arpa."]

  static func apply(_ configuration: ResolverConfiguration, to context: OpaquePointer) throws(ResolveError) {
    // Its messages would go to stderr, past our log; what matters of them comes back as errors.
    try check(unsafe ub_ctx_debugout(context, nil), "log")
    let options = [
      // A forwarder on the same machine is common.
      ("do-not-query-localhost:", "no"),
      ("unblock-lan-zones:", "yes"),
      ("cache-max-ttl:", "\(configuration.maximumTTL)"),
      ("cache-max-negative-ttl:", "\(configuration.maximumNegativeTTL)"),
      // Seconds: a name server that was down is asked again soon, not after a quarter of an hour.
      ("infra-host-ttl:", "10"),
      ("infra-keep-probing:", "yes"),
      ("msg-cache-size:", "1m"),
      ("rrset-cache-size:", "2m"),
      ("module-config:", configuration.trustAnchorFile == nil ? "iterator" : "validator iterator"),
    ]
    for (name, value) in options {
      try check(unsafe ub_ctx_set_option(context, name, value), "\(name) \(value)")
    }
    if let file = configuration.trustAnchorFile {
      try check(unsafe ub_ctx_add_ta_file(context, file), "trust anchor \(file)")
    }
    switch configuration.servers {
    case .system:
      try check(unsafe ub_ctx_resolvconf(context, nil), "/etc/resolv.conf")
    case .addresses(let addresses):
      guard !addresses.isEmpty else { throw .failure("no name server is configured") }
      for address in addresses { try check(unsafe ub_ctx_set_fwd(context, address), "name server \(address)") }
    }
    try check(unsafe ub_ctx_async(context, 1), "thread")
    // The last: they end the set-up.
    for zone in localZones { try check(unsafe ub_ctx_zone_remove(context, zone), "zone \(zone)") }
  }

  private static func check(_ error: Int32, _ what: String) throws(ResolveError) {
    if error != 0 { throw .failure("\(what): \(Unbound.text(error))") }
  }
}
