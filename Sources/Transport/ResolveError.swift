/// Why a name gives no endpoints. The description is for the operator.
package enum ResolveError: Error, Hashable, Sendable, CustomStringConvertible {
  /// DNS says that the name does not exist.
  case noSuchDomain(String)
  /// The name exists, the service does not: SRV target `.` (RFC 2782), no address, or only ports that are never used.
  case noService(String)
  /// No answer in time.
  case timeout(String)
  /// DNSSEC validation failed.
  case bogus(String)
  /// Anything else.
  case failure(String)

  package var description: String {
    switch self {
    case .noSuchDomain(let name): "DNS: \(name) does not exist"
    case .noService(let text), .failure(let text): "DNS: \(text)"
    case .timeout(let name): "DNS: no answer in time for \(name)"
    case .bogus(let text): "DNSSEC: \(text)"
    }
  }

  /// The DNS did not answer, as opposed to answering no.
  var isUnanswered: Bool {
    switch self {
    case .timeout, .failure: true
    case .noSuchDomain, .noService, .bogus: false
    }
  }
}
