/// The checks that look at more than one option.
extension Configuration {
  func verify(_ decoding: inout Decoding) {
    verifyDomains(&decoding)
    verifyPartners(&decoding)
    verifyPlatforms(&decoding)
    verifyQueue(&decoding)
    verifyListeners(&decoding)
  }

  private func verifyDomains(_ decoding: inout Decoding) {
    if domains.isEmpty && !decoding.broken.contains("domain") {
      decoding.complain("", problem: "no domain is served", fix: "add a [[domain]] section")
    }
    Self.refuseRepetition(domains.map(\.name), of: "name", in: "domain", &decoding)
    for (index, domain) in domains.enumerated() where !domain.platform.isEmpty {
      let path = "domain[\(index + 1)].platform"
      let names = platforms.map(\.name)
      // A platform whose name could not be read may be the one that is meant.
      if names.contains(domain.platform) || names.contains("") { continue }
      let near = Suggestion.nearest(to: domain.platform, among: names)
      decoding.complain(
        path, problem: "there is no platform \(quoted(domain.platform))",
        fix: near.map { "did you mean \(quoted($0))?" }
          ?? "add a [[platform]] section with name = \(quoted(domain.platform))")
    }
  }

  private func verifyPartners(_ decoding: inout Decoding) {
    if partners.isEmpty && !decoding.broken.contains("partner") {
      decoding.complain(
        "", problem: "there is no partner: nobody can be talked to", fix: "add a [[partner]] section",
        severity: .warning)
    }
    Self.refuseRepetition(partners.map(\.domain), of: "domain", in: "partner", &decoding)
    for (index, partner) in partners.enumerated() {
      let path = "partner[\(index + 1)]"
      if !partner.domain.isEmpty && domains.contains(where: { $0.name == partner.domain }) {
        decoding.complain(
          "\(path).domain", problem: "\(quoted(partner.domain)) is a domain of the organisation",
          fix: "remove it here, or its [[domain]] section")
      }
      if partner.address == nil && partner.port != nil && !decoding.broken.contains("\(path).address") {
        decoding.complain(
          "\(path).port", problem: "a port without an address is not used", fix: "add address, or remove it")
      }
      if partner.address == nil && partner.directTLS && !decoding.broken.contains("\(path).address") {
        decoding.complain(
          "\(path).direct-tls", problem: "without an address, DNS tells whether there is direct TLS",
          fix: "add address, or remove it")
      }
      verifyTrust(partner, path, &decoding)
    }
  }

  /// The combinations that work but are seldom meant.
  private func verifyTrust(_ partner: Partner, _ path: String, _ decoding: inout Decoding) {
    switch (partner.tls, partner.dialback) {
    case (.required, _): break
    case (.optional, false):
      decoding.complain(
        "\(path).tls", problem: "without dialback, a stream that is not encrypted can never prove who it is",
        fix: "set tls = \"required\", which is the same, or allow dialback", severity: .warning)
    case (.optional, true):
      decoding.complain(
        "\(path).tls",
        problem: "messages with this partner may travel unencrypted, and DNS is all that proves who it is",
        fix: "set tls = \"required\" unless the partner has no TLS", severity: .warning)
    }
  }

  private func verifyPlatforms(_ decoding: inout Decoding) {
    Self.refuseRepetition(platforms.map(\.name), of: "name", in: "platform", &decoding)
    for (index, platform) in platforms.enumerated() {
      let path = "platform[\(index + 1)]"
      if platform.name == Self.reservedName {
        decoding.complain(
          "\(path).name", problem: "\(quoted(platform.name)) means the partners' side", fix: "choose another name")
      }
      if !platform.name.isEmpty && !domains.contains(where: { $0.platform == platform.name }) {
        decoding.complain(
          "\(path).name", problem: "no domain is on this platform",
          fix: "name it in a [[domain]] section, or remove it",
          severity: .warning)
      }
      switch platform.transport {
      case .tls: verifyTLS(platform, path, &decoding)
      case .tcp: verifyTCP(platform, path, &decoding)
      }
    }
  }

  private func verifyTLS(_ platform: Platform, _ path: String, _ decoding: inout Decoding) {
    for (name, value) in [("certificate", platform.certificate), ("key", platform.key)]
    where value == nil && !decoding.broken.contains("\(path).\(name)") {
      decoding.complain(
        "\(path).\(name)", problem: "this is required for transport = \"tls\"", fix: "add the path of a PEM file")
    }
    // RFC 5922 §7.1: certificates hold names.
    for (position, peer) in platform.trustedPeers.enumerated() where Names.isAddress(peer) {
      decoding.complain(
        "\(path).trusted-peers[\(position + 1)]", problem: "a certificate proves names, not the address \(peer)",
        fix: "write the name in the server's certificate")
    }
    if platform.trustedPeers.isEmpty && Names.isAddress(platform.nextHop)
      && !decoding.broken.contains("\(path).trusted-peers")
    {
      decoding.complain(
        "\(path).trusted-peers", problem: "next-hop is an address: which name must its certificate hold?",
        fix: "add trusted-peers with the name in the server's certificate")
    }
  }

  private func verifyTCP(_ platform: Platform, _ path: String, _ decoding: inout Decoding) {
    decoding.complain(
      "\(path).transport", problem: "\"tcp\" is not encrypted, and whoever has a trusted address may send as anybody",
      fix: "use \"tls\" outside of a laboratory", severity: .warning)
    for (position, peer) in platform.trustedPeers.enumerated() where !Names.isAddress(peer) {
      decoding.complain(
        "\(path).trusted-peers[\(position + 1)]",
        problem: "with \"tcp\" only an address can be recognised, not \(peer)",
        fix: "write the server's IP address")
    }
    if platform.trustedPeers.isEmpty && !platform.nextHop.isEmpty && !Names.isAddress(platform.nextHop)
      && !decoding.broken.contains("\(path).trusted-peers")
    {
      decoding.complain(
        "\(path).trusted-peers", problem: "with \"tcp\" the platform is recognised by its address",
        fix: "add trusted-peers with the server's IP address")
    }
  }

  private func verifyQueue(_ decoding: inout Decoding) {
    let pairs: [(Bool, smaller: String, larger: String)] = [
      (queue.retryMinimum <= queue.retryMaximum, "retry-minimum", "retry-maximum"),
      (queue.messagesPerDestination <= queue.messagesTotal, "messages-per-destination", "messages-total"),
      (queue.bytesPerDestination <= queue.bytesTotal, "bytes-per-destination", "bytes-total"),
      (queue.answerDelay < queue.timeToLive, "answer-delay", "time-to-live"),
    ]
    for (holds, smaller, larger) in pairs where !holds {
      decoding.complain(
        "queue.\(smaller)", problem: "this is more than queue.\(larger)", fix: "lower it, or raise \(larger)")
    }
    if store.maximumSize / 2 < queue.bytesTotal {
      decoding.complain(
        "store.maximum-size", problem: "the queue would not fit into the store",
        fix: "make it twice queue.bytes-total at least, or lower that")
    }
  }

  /// The name that the broker knows the partners' side by.
  private static let reservedName = "xmpp"

  private static func refuseRepetition(
    _ names: [String], of option: String, in section: String, _ decoding: inout Decoding
  ) {
    var first: [String: Int] = [:]
    for (index, name) in names.enumerated() where !name.isEmpty {
      if let earlier = first[name] {
        let line = decoding.document.line(of: "\(section)[\(earlier + 1)].\(option)").map { " in line \($0)" } ?? ""
        decoding.complain(
          "\(section)[\(index + 1)].\(option)", problem: "\(quoted(name)) is already there\(line)", fix: "remove one")
      } else {
        first[name] = index
      }
    }
  }
}
