package import BrokerCore
package import XMPPCore

extension Address {
  /// RFC 7247 §6.5: the localpart's escapes are undone, the resource becomes the endpoint.
  package init(_ jid: JID) {
    self.init(user: JIDEscaping.unescaped(jid.local), domain: jid.domain, endpoint: jid.resource)
  }
}

extension JID {
  /// RFC 7247 §6.4; nil for a user whose name no localpart can hold. An endpoint that no resource can hold is left out:
  /// the user is reached all the same.
  package init?(_ address: Address) {
    var local = ""
    if !address.user.isEmpty {
      guard let escaped = JIDEscaping.escaped(address.user) else { return nil }
      local = escaped
    }
    if let jid = JID(local: local, domain: address.domain, resource: address.endpoint) {
      self = jid
    } else if address.endpoint != nil, let jid = JID(local: local, domain: address.domain) {
      self = jid
    } else {
      return nil
    }
  }
}
