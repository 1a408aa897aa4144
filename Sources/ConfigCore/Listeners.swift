/// Two listeners cannot share a port.
extension Configuration {
  private struct Binding {
    /// The option that gives the port.
    var path: String
    var address: String
    var port: Int

    func collides(with other: Binding) -> Bool {
      guard port == other.port, Names.isIPv4(address) == Names.isIPv4(other.address) else { return false }
      return address == other.address || isEverywhere || other.isEverywhere
    }

    private var isEverywhere: Bool { address == "0.0.0.0" || address == "::" }
  }

  func verifyListeners(_ decoding: inout Decoding) {
    var bindings = xmpp.listen.map { Binding(path: "xmpp.port", address: $0, port: xmpp.port) }
    if xmpp.directTLSPort != 0 {
      bindings += xmpp.listen.map { Binding(path: "xmpp.direct-tls-port", address: $0, port: xmpp.directTLSPort) }
    }
    for (index, platform) in platforms.enumerated() {
      bindings += platform.listen.map {
        Binding(path: "platform[\(index + 1)].listen-port", address: $0, port: platform.listenPort)
      }
    }
    if metrics.enabled { bindings.append(Binding(path: "metrics.port", address: metrics.address, port: metrics.port)) }
    var complained: Set<String> = []
    for (index, binding) in bindings.enumerated() {
      guard let other = bindings[..<index].first(where: { $0.collides(with: binding) }),
        complained.insert(binding.path).inserted
      else { continue }
      let what = other.path == binding.path ? "its own list of addresses" : other.path
      decoding.complain(
        binding.path, problem: "port \(binding.port) on \(binding.address) is already used by \(what)",
        fix: "choose another port or another address")
    }
  }
}
