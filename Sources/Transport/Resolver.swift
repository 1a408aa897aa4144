package import NIOCore

/// Finds the addresses of servers in the DNS. Numeric addresses are taken as they are; getaddrinfo is never asked, so it
/// works in an empty chroot too.
package final class Resolver: Sendable {
  private let configuration: ResolverConfiguration
  private let unbound: Unbound

  /// - Throws: if a name server or a file is wrong; the text says which.
  package init(configuration: ResolverConfiguration = ResolverConfiguration()) throws(ResolveError) {
    self.configuration = configuration
    unbound = try Unbound(configuration)
    try unbound.start()
  }

  deinit {
    unbound.stop()
  }

  // All futures fail with `ResolveError` and complete on `loop`.

  /// The servers of an XMPP domain, in the order in which to try them (RFC 6120 §3.2.1, XEP-0368 §2).
  /// - Parameters:
  ///   - domain: as A-labels.
  ///   - directTLS: whether `_xmpps-server` is asked for too.
  package func xmppServer(domain: String, directTLS: Bool, on loop: any EventLoop) -> EventLoopFuture<[Endpoint]> {
    var services = [Service(name: "_xmpp-server._tcp.\(domain)", tls: false)]
    if directTLS { services.append(Service(name: "_xmpps-server._tcp.\(domain)", tls: true)) }
    return server(of: domain, services, fallback: Endpoint(host: domain, address: "", port: 5269, tls: false), on: loop)
  }

  /// The servers of a SIP domain, the transport being given (RFC 3263 §4.2): explicit port, SRV, default port.
  package func sipServer(host: String, port: Int?, tls: Bool, on loop: any EventLoop) -> EventLoopFuture<[Endpoint]> {
    if let port { return addresses(host: host, port: port, tls: tls, on: loop) }
    let service = Service(name: "\(tls ? "_sips" : "_sip")._tcp.\(host)", tls: tls)
    return server(
      of: host, [service], fallback: Endpoint(host: host, address: "", port: tls ? 5061 : 5060, tls: tls), on: loop)
  }

  /// The addresses of a host that the operator named.
  package func addresses(host: String, port: Int, tls: Bool, on loop: any EventLoop) -> EventLoopFuture<[Endpoint]> {
    guard (1...65535).contains(port) else {
      return loop.makeFailedFuture(ResolveError.failure("\(host): there is no port \(port)"))
    }
    return lookUp(host, on: loop).flatMapThrowing { [configuration] result in
      let addresses = try result.get()
      return Array(
        addresses.map { Endpoint(host: host, address: $0.text, port: port, tls: tls) }
          .prefix(configuration.maximumEndpoints))
    }
  }

  // MARK: Services

  private struct Service {
    var name: String
    var tls: Bool
  }

  private func server(
    of domain: String, _ services: [Service], fallback: Endpoint, on loop: any EventLoop
  ) -> EventLoopFuture<[Endpoint]> {
    if IPAddress(domain) != nil {
      return addresses(host: domain, port: fallback.port, tls: fallback.tls, on: loop)
    }
    let answers = services.map { service in
      ask(service.name, .srv, on: loop).map { result in
        result.map { $0.records.compactMap { ServiceRecord(data: $0, tls: service.tls) } }
      }
    }
    return EventLoopFuture.whenAllSucceed(answers, on: loop).flatMap { [self] answers in
      switch ServiceDecision(answers, domain: domain) {
      case .follow(let records):
        var random = SystemRandomNumberGenerator()
        return follow(ServiceRecord.ordered(records, using: &random), domain: domain, on: loop)
      case .fallBack:
        return addresses(host: domain, port: fallback.port, tls: fallback.tls, on: loop)
      case .fail(let error):
        return loop.makeFailedFuture(error)
      }
    }
  }

  private func follow(
    _ records: [ServiceRecord], domain: String, on loop: any EventLoop
  ) -> EventLoopFuture<[Endpoint]> {
    let records = Array(records.prefix(configuration.maximumTargets))
    let lookUps = records.map { lookUp($0.target, on: loop) }
    return EventLoopFuture.whenAllSucceed(lookUps, on: loop).flatMapThrowing { [configuration] results in
      var endpoints: [Endpoint] = []
      var problem: ResolveError?
      for (record, result) in zip(records, results) {
        switch result {
        case .success(let addresses):
          endpoints += addresses.map {
            Endpoint(host: record.target, address: $0.text, port: Int(record.port), tls: record.tls)
          }
        case .failure(let error):
          problem = problem ?? error
        }
      }
      if endpoints.isEmpty { throw problem ?? .noService("no server of \(domain) has an address") }
      return Array(endpoints.prefix(configuration.maximumEndpoints))
    }
  }

  // MARK: Addresses

  /// Never fails: errors are values, so that one dead server does not hide the others.
  private func lookUp(
    _ host: String, on loop: any EventLoop
  ) -> EventLoopFuture<Result<[IPAddress], ResolveError>> {
    if let address = IPAddress(host) { return loop.makeSucceededFuture(.success([address])) }
    return ask(host, .aaaa, on: loop).and(ask(host, .a, on: loop)).map { v6, v4 in
      Self.merge(v6: v6, v4: v4, host: host)
    }
  }

  /// Alternating, IPv6 first (RFC 8305 §4).
  private static func merge(
    v6: Result<DNSAnswer, ResolveError>, v4: Result<DNSAnswer, ResolveError>, host: String
  ) -> Result<[IPAddress], ResolveError> {
    let six = ((try? v6.get())?.records ?? []).filter { $0.count == 16 }.map { IPAddress(v6: $0) }
    let four = ((try? v4.get())?.records ?? []).filter { $0.count == 4 }.map { IPAddress.v4($0) }
    var merged: [IPAddress] = []
    for index in 0..<max(six.count, four.count) {
      if index < six.count { merged.append(six[index]) }
      if index < four.count { merged.append(four[index]) }
    }
    if !merged.isEmpty { return .success(merged) }
    for case .failure(let error) in [v4, v6] { return .failure(error) }
    if case .success(let answer) = v4, !answer.nameExists { return .failure(.noSuchDomain(host)) }
    return .failure(.noService("\(host) has no address"))
  }

  private func ask(
    _ name: String, _ type: RecordType, on loop: any EventLoop
  ) -> EventLoopFuture<Result<DNSAnswer, ResolveError>> {
    let promise = loop.makePromise(of: Result<DNSAnswer, ResolveError>.self)
    // The first of the two counts. An answer that comes later still fills the cache.
    let timer = loop.scheduleTask(in: configuration.timeout) { promise.succeed(.failure(.timeout(name))) }
    unbound.ask(name, type: type) { result in
      timer.cancel()
      promise.succeed(result)
    }
    return promise.futureResult
  }
}
