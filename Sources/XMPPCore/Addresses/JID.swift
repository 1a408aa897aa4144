/// An XMPP address: `localpart@domainpart/resourcepart` (RFC 7622). Parts are held prepared, so that equal addresses
/// are equal values; the localpart is still escaped as on the wire (XEP-0106).
package struct JID: Hashable, Sendable {
  /// RFC 7622 §3.1: each part is at most this many bytes of UTF-8.
  package static let maximumPartLength = 1023

  /// Empty where the address has none.
  package let local: String
  package let domain: String
  package let resource: String?

  private init(checkedLocal: String, domain: String, resource: String?) {
    self.local = checkedLocal
    self.domain = domain
    self.resource = resource
  }

  /// Reads an address; nil if it is malformed.
  package init?(_ text: String) {
    // Longer than three full parts and their separators: not worth a look.
    guard text.utf8.count <= 3 * Self.maximumPartLength + 2 else { return nil }
    let bytes = text.utf8
    // RFC 7622 §3.1: the first slash ends the bare address, then the first @ ends the localpart.
    let bareEnd = bytes.firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
    let at = bytes[..<bareEnd].firstIndex(of: UInt8(ascii: "@"))
    let local = at.map { String(text[..<$0]) }
    let domain = String(text[(at.map(bytes.index(after:)) ?? bytes.startIndex)..<bareEnd])
    let resource = bareEnd < bytes.endIndex ? String(text[bytes.index(after: bareEnd)...]) : nil
    if local?.isEmpty == true { return nil }
    self.init(local: local ?? "", domain: domain, resource: resource)
  }

  /// Prepares and checks the parts; nil if one of them is not allowed.
  package init?(local: String, domain: String, resource: String? = nil) {
    guard let domain = DomainName.normalised(domain), let local = Localpart.prepared(local) else { return nil }
    guard let resource else {
      self.init(checkedLocal: local, domain: domain, resource: nil)
      return
    }
    guard let prepared = Resourcepart.prepared(resource) else { return nil }
    self.init(checkedLocal: local, domain: domain, resource: prepared)
  }

  package init?(domain: String) { self.init(local: "", domain: domain) }

  package var bare: JID { JID(checkedLocal: local, domain: domain, resource: nil) }
  /// Whether it names a server rather than somebody.
  package var isDomain: Bool { local.isEmpty && resource == nil }
}

extension JID: CustomStringConvertible {
  /// As it is written in a stanza.
  package var description: String {
    let domain = DomainName.onTheWire(domain)
    var text = local.isEmpty ? domain : local + "@" + domain
    if let resource { text += "/" + resource }
    return text
  }
}
