package import XMLStreaming

/// The attributes of `<stream:stream>` as a peer wrote them (RFC 6120 §4.7).
package struct StreamHeader: Hashable, Sendable {
  package var from: String?
  package var to: String?
  package var id: String?
  package var version: String?

  package init(from: String? = nil, to: String? = nil, id: String? = nil, version: String? = "1.0") {
    self.from = from
    self.to = to
    self.id = id
    self.version = version
  }

  package init(_ element: XMLElement) {
    self.init(
      from: element["from"], to: element["to"], id: element["id"],
      version: element["version"])
  }

  /// The major version; 0 where none is given (§4.7.5); nil if the text is no version.
  var majorVersion: Int? {
    guard let version else { return 0 }
    let parts = version.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...4).contains($0.count) && $0.allSatisfy(isDigit) }) else {
      return nil
    }
    return Int(String(Substring(parts[0])))
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
