/// Who somebody is, in no protocol's own spelling: `user@domain`, with an endpoint where one device is meant.
///
/// `user` holds the real characters (`o'malley`, `jörg`, `a b`), neither percent-encoded as in a SIP URI nor escaped
/// as in XEP-0106; adapters translate at their edge (RFC 7247 §6). `domain` is lower case, internationalised names
/// as A-labels. `endpoint` is an XMPP resource or the value of a SIP `gr` parameter.
package struct Address: Hashable, Sendable {
  package var user: String
  package var domain: String
  package var endpoint: String?

  package init(user: String, domain: String, endpoint: String? = nil) {
    self.user = user
    self.domain = domain
    self.endpoint = endpoint
  }

  /// The address without its endpoint.
  package var bare: Address { Address(user: user, domain: domain) }
}

extension Address: CustomStringConvertible {
  package var description: String {
    let bare = user.isEmpty ? domain : "\(user)@\(domain)"
    return endpoint.map { "\(bare)/\($0)" } ?? bare
  }
}
