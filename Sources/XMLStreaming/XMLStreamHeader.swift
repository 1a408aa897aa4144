extension XMLWriter {
  /// `<stream:stream>` with the XML declaration in front (RFC 6120 §4.7). Addresses that are `nil` are left out.
  ///
  /// - Parameter prefixes: namespace → prefix, one of them for the namespace of the stream itself. Entries whose prefix
  ///   is no NCName, or reserved, are left out.
  package static func streamHeader(
    streamNamespace: String = "http://etherx.jabber.org/streams", defaultNamespace: String,
    prefixes: [String: String] = [:], from: String?, to: String?, id: String?, version: String? = "1.0",
    language: String? = nil
  ) -> [UInt8] {
    var out = Array("<?xml version='1.0'?><stream:stream".utf8)
    func attribute(_ name: String, _ value: String?) {
      guard let value else { return }
      out.append(contentsOf: " \(name)='".utf8)
      appendEscaped(value, attribute: true, into: &out)
      out.append(UInt8(ascii: "'"))
    }
    attribute("xmlns", defaultNamespace)
    attribute("xmlns:stream", streamNamespace)
    for (namespace, prefix) in prefixes.sorted(by: { $0.value < $1.value })
    where prefix != "stream" && !namespace.isEmpty && isUsable(prefix: prefix) {
      attribute("xmlns:\(prefix)", namespace)
    }
    attribute("from", from)
    attribute("to", to)
    attribute("id", id)
    attribute("version", version)
    attribute("xml:lang", language)
    out.append(UInt8(ascii: ">"))
    return out
  }

  package static let streamFooter = Array("</stream:stream>".utf8)
}
