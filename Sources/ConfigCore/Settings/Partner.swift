/// `[[partner]]`: a federated domain.
package struct Partner: Settings {
  package enum TLSPolicy: String, CaseIterable, Sendable {
    case required
    case optional
  }

  package var domain = ""
  package var tls = TLSPolicy.required
  package var dialback = false
  /// nil: by DNS.
  package var address: String?
  package var port: Int?
  package var directTLS = false

  package init() {}

  /// The ways a partner's server may prove who it is.
  package enum Method: String, Sendable {
    /// SASL EXTERNAL with a certificate (XEP-0178).
    case certificate
    /// Server dialback (XEP-0220) on an encrypted stream.
    case dialbackOverTLS
    /// Server dialback on a stream in the clear.
    case dialbackInClear
  }

  /// A certificate can always be shown: there is no level without TLS.
  package var methods: Set<Method> {
    var methods: Set<Method> = [.certificate]
    if dialback { methods.insert(.dialbackOverTLS) }
    if dialback && tls == .optional { methods.insert(.dialbackInClear) }
    return methods
  }

  static let options: [Option<Partner>] = [
    Option(
      "domain", \.domain, .domain, required: true, example: "\"partner.example\"", effect: .live,
      "The partner's domain. Each sub-domain is a partner of its own."),
    Option(
      "tls", \.tls, .choice(), effect: .reconnect,
      "\"optional\" also accepts streams that are not encrypted, if dialback is allowed."),
    Option(
      "dialback", \.dialback, .boolean, effect: .reconnect,
      "Accept a partner without a trusted certificate when its domain's own server, found by DNS, vouches for it "
        + "(XEP-0220). Weaker than a certificate: as safe as DNS is."),
    Option(
      "address", \.address, .optional(.host), example: "\"xmpp.partner.example\"", effect: .reconnect,
      "The partner's server, where it is not to be looked up in DNS."),
    Option(
      "port", \.port, .optional(.port), example: "5269", effect: .reconnect,
      "Its port; goes with address. Without it 5269, or 5270 with direct-tls."),
    Option(
      "direct-tls", \.directTLS, .boolean, effect: .reconnect,
      "The server at address speaks TLS from the first byte (XEP-0368)."),
  ]
}
