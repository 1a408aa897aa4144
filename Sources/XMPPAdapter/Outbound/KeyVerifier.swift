import Logging
import XMPPCore

/// Asks partners' servers about dialback keys (XEP-0220 §2.1.2). Every question is a connection that somebody else can
/// make us open, so there are few at a time, and a server that just failed to answer is not asked again for a while.
final class KeyVerifier {
  private unowned let federation: Federation
  private var dials: [DialbackRequest: PartnerDial] = [:]
  private var unreachable: [String: (until: StreamTime, error: StanzaError)] = [:]

  init(_ federation: Federation) { self.federation = federation }

  func verify(_ request: DialbackRequest, _ completion: @escaping (DialbackOutcome) -> Void) {
    let domain = request.pair.remote
    let limits = federation.limits
    guard let partner = federation.partners[domain], !federation.isStopping else {
      return completion(.failed(StanzaError(.policyViolation)))
    }
    if let known = unreachable[domain], federation.now < known.until { return completion(.failed(known.error)) }
    let running = dials.keys.count { $0.pair.remote == domain }
    guard dials.count < limits.verifications, running < limits.verificationsPerPartner, dials[request] == nil else {
      return completion(.failed(StanzaError(.resourceConstraint)))
    }
    let dial = PartnerDial(
      request.pair, purpose: .verification(request), partner: partner, federation: federation
    ) { [weak self] outcome in
      completion(self?.conclude(request, outcome) ?? .failed(StanzaError(.internalServerError)))
    }
    dials[request] = dial
    dial.start()
  }

  private func conclude(_ request: DialbackRequest, _ outcome: PartnerDial.Outcome) -> DialbackOutcome {
    dials[request] = nil
    let domain = request.pair.remote
    switch outcome {
    case .verified(.valid): return .valid
    case .verified(.invalid):
      federation.logger.warning("dialback key is not the partner's", metadata: ["partner": "\(domain)"])
      return .invalid
    case .verified(.failed(let error)):
      federation.logger.warning(
        "dialback was answered with an error",
        metadata: ["partner": "\(domain)", "condition": "\(error.condition.rawValue)"])
      // XEP-0220 §2.4: an error about the question is, to who asked us, one about the domain.
      return .failed(StanzaError(.remoteServerNotFound))
    case .failed(let failure):
      federation.logger.warning(
        "dialback failed", metadata: ["partner": "\(domain)", "cause": "\(failure.cause)"])
      federation.observer.streamFailed(partner: domain, stage: failure.stage)
      let error = StanzaError(failure.condition)
      unreachable[domain] = (federation.now + federation.limits.verificationPause, error)
      return .failed(error)
    case .established: return .failed(StanzaError(.internalServerError))
    }
  }

  func stop() {
    for dial in dials.values { dial.cancel() }
    dials = [:]
  }

  func timePassed(_ now: StreamTime) {
    guard !unreachable.isEmpty else { return }
    unreachable = unreachable.filter { now < $0.value.until }
  }
}
