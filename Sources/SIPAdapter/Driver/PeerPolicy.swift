import SIPCore
import Transport

/// Whether a TLS peer is the platform (RFC 5922 §7): its certificate is trusted and bears the next hop's name or one that
/// the operator listed. There is no other authentication, so there is no third possibility.
struct PeerPolicy {
  let names: [String]

  init(_ configuration: SIPConfiguration) {
    names = [configuration.nextHop.host] + configuration.trustedPeers
  }

  /// Why the peer is refused; nil: it is not.
  func objection(_ session: TLSSession) -> String? {
    guard let certificate = session.peer else { return "no certificate" }
    if case .untrusted(let reason) = certificate.trust { return reason }
    if names.contains(where: certificate.matchesSIP) { return nil }
    let found = (certificate.uris + certificate.dnsNames).prefix(8).joined(separator: ", ")
    // RFC 5922 §7.1: a certificate that names domains as SIP URIs speaks for those only.
    let rule = certificate.uris.contains { $0.hasPrefix("sip:") } ? " (where it has sip: URIs, only they count)" : ""
    return
      "certificate is for \(found.isEmpty ? "no name" : found), not for \(names.joined(separator: " or "))\(rule)"
  }
}
