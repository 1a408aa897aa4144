/// Names and addresses as a configuration may hold them.
enum Names {
  /// Lower case, without the final dot; nil unless it is a host name of RFC 1123 §2.1 and RFC 1035 §2.3.4. Names in
  /// other scripts are given as A-labels (RFC 5890 §2.3.2.1).
  static func domain(_ text: String) -> String? {
    // Before the case is changed: the Kelvin sign becomes a "k".
    guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let name = text.lowercased()
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard name.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last else { return nil }
    // An all-numeric last label makes it an address, or a mistyped one.
    return last.allSatisfy(\.isNumber) ? nil : name
  }

  private static func isLabel(_ label: Substring) -> Bool {
    (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
      && label.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  static func isIPv4(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
          && (part.utf8.count == 1 || part.first != "0") && UInt8(part) != nil
      }
  }

  /// RFC 4291 §2.2, without zone.
  static func isIPv6(_ text: String) -> Bool {
    let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
    guard text.contains(":"), halves.count <= 2 else { return false }
    let tail = halves.count == 2 ? halves[1] : halves[0]
    var groups = 0
    for (index, half) in halves.enumerated() where !half.isEmpty {
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (position, part) in parts.enumerated() {
        let isLast = half == tail && index == halves.count - 1 && position == parts.count - 1
        if isLast && part.contains(".") {
          guard isIPv4(String(part)) else { return false }
          groups += 2
        } else {
          guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit) else { return false }
          groups += 1
        }
      }
    }
    return halves.count == 2 ? groups <= 7 : groups == 8
  }

  static func isAddress(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }
}

extension ValueType where Value == String {
  static var domain: Self {
    text(
      "a domain name",
      fix: "write a name like \"example.org\"; other scripts as A-labels, like \"xn--bcher-kva.example\"",
      Names.domain)
  }

  /// A name to look up, or an address.
  static var host: Self {
    text("a host name or an IP address", fix: "write a name like \"sip.example.org\" or an address like \"192.0.2.7\"")
    {
      Names.isAddress($0) ? $0.lowercased() : Names.domain($0)
    }
  }

  /// To bind to: never a name, since nothing resolves names at that time.
  static var address: Self {
    text("an IP address", fix: "write a numeric address: \"192.0.2.7\", \"2001:db8::7\", \"0.0.0.0\" or \"::\" for all")
    {
      Names.isAddress($0) ? $0.lowercased() : nil
    }
  }

  /// `address` or `address@port`, as Unbound writes it.
  static var nameServer: Self {
    text("a DNS server", fix: "write an address, or address@port, like \"192.0.2.53\" or \"127.0.0.1@5353\"") { text in
      let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard Names.isAddress(parts[0]) else { return nil }
      guard parts.count == 2 else { return text }
      guard let port = UInt16(parts[1]), port > 0, "\(port)" == parts[1] else { return nil }
      return text
    }
  }

  /// How a platform is called in the file, the log and the metrics.
  static var label: Self {
    text("a short name", fix: "write 1 to 32 of a-z, 0-9 and -, like \"skype\"") { text in
      let valid = text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
      }
      return valid && (1...32).contains(text.utf8.count) ? text : nil
    }
  }
}

extension ValueType where Value == TrustSource {
  static var trust: Self {
    let file = ValueType<String>.file(.authorities)
    let name = "\"system\" or \(file.name)"
    return Self(name: name) { (node) throws(Complaint) in
      if case .string("system") = node { return .system }
      do throws(Complaint) {
        return .file(try file.parse(node))
      } catch {
        throw Complaint(problem: error.problem, fix: "write \"system\", or the whole path of a PEM file, from / on")
      }
    } render: { value in
      switch value {
      case .system: quoted("system")
      case .file(let path): quoted(path)
      }
    } files: { value in
      switch value {
      case .system: []
      case .file(let path): file.files(path)
      }
    }
  }
}
