/// What the answers to a domain's SRV questions mean.
enum ServiceDecision: Hashable {
  case follow([ServiceRecord])
  /// Ask for the addresses of the domain itself, with the default port (RFC 6120 §3.2.2).
  case fallBack
  case fail(ResolveError)

  /// - Parameter answers: the records of each service asked for; XEP-0368 §2 has them mixed as if they were one.
  init(_ answers: [Result<[ServiceRecord], ResolveError>], domain: String) {
    let records = answers.flatMap { (try? $0.get()) ?? [] }
    let usable = records.filter { !$0.target.isEmpty && !Self.deniedPorts.contains($0.port) }
    if !usable.isEmpty {
      self = .follow(usable)
    } else if !records.isEmpty {
      // The domain has said where its service is; looking elsewhere would contradict it (RFC 6120 §3.2.1 step 3).
      let refused = records.allSatisfy(\.target.isEmpty)
      self = .fail(
        .noService(refused ? "\(domain) offers no such service (SRV target \".\")" : "\(domain) names a forbidden port")
      )
    } else if let bogus = answers.lazy.compactMap(Self.bogus).first {
      self = .fail(bogus)
    } else {
      // No record, or no answer: RFC 6120 §3.2.1 step 9.
      self = .fallBack
    }
  }

  /// Ports on which no server of ours is: a domain must not be able to make us talk to somebody's mail server.
  static let deniedPorts: Set<UInt16> = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110,
    111, 113, 115, 117, 119, 123, 135, 137, 138, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530,
    531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 3306,
    3389, 3659, 4045, 4190, 5432, 5900, 6000, 6379, 6566, 9200, 10080, 11211, 27017,
  ]

  private static func bogus(_ answer: Result<[ServiceRecord], ResolveError>) -> ResolveError? {
    if case .failure(.bogus(let text)) = answer { .bogus(text) } else { nil }
  }
}
