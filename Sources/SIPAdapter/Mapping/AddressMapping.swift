package import BrokerCore
package import SIPCore

/// SIP URI ↔ address, as RFC 7247 §6.4 and §6.5 map them. The other network's own escapes (XEP-0106) are the business of
/// its adapter: between the two, characters are characters.
package enum AddressMapping {
  /// `gr` is a URI parameter (RFC 5627 §5); RFC 7572 prints it as a header parameter, so both are read.
  package static func address(_ uri: SIPURI, headerParameters: Parameters = .init()) throws(SIPDefect) -> Address {
    var user = ""
    if let escaped = uri.user {
      guard let decoded = PercentEncoding.decodeText(escaped) else { throw SIPDefect("User part is not UTF-8") }
      user = decoded
    }
    var endpoint: String?
    if let escaped = uri.parameters["gr"] ?? headerParameters["gr"] {
      guard let decoded = PercentEncoding.decodeText(escaped) else { throw SIPDefect("gr is not UTF-8") }
      endpoint = decoded
    }
    let host = uri.host.hasSuffix(".") ? String(uri.host.dropLast()) : uri.host
    return Address(user: user, domain: host, endpoint: endpoint)
  }

  package static func uri(_ address: Address, withEndpoint: Bool = true) -> SIPURI {
    var uri = SIPURI(
      .sip, user: address.user.isEmpty ? nil : PercentEncoding.encodeUser(address.user), host: address.domain)
    if withEndpoint, let endpoint = address.endpoint, !endpoint.isEmpty {
      uri.parameters["gr"] = PercentEncoding.encodeParameter(endpoint)
    }
    return uri
  }
}
