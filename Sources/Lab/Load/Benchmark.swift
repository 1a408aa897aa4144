import Foundation
import NIOCore
import NIOPosix

/// Echoes through a target, with what they cost it.
package struct BenchmarkResult: Sendable, Encodable {
  package var target: String
  package var saturation: RoundTrips.Account
  /// CPU seconds of the target for 10,000 round trips at saturation.
  package var cpuPer10k: Double
  package var steady: RoundTrips.Account
  package var steadyRate: Double
  package var residentIdle: Double
  package var residentLoaded: Double

  package var perCPUSecond: Double { cpuPer10k > 0 ? 10_000 / cpuPer10k : 0 }
}

package struct BenchmarkPlan: Sendable {
  package var count = 20_000
  package var window = 200
  package var rate = 1000.0
  package var steadySeconds = 10
  package var activeUsers = 2000

  package init() {}
}

/// Runs the phases against one target. `send` gives the message of a user with a number to the target; the echo is told
/// by `echo`. Every phase numbers its messages anew, so their ids hold the phase too.
package final class EchoBenchmark: @unchecked Sendable {
  private let plan: BenchmarkPlan
  private let loop: any EventLoop
  private let pid: pid_t
  private var phase = 0
  private var current: RoundTrips?

  package init(_ plan: BenchmarkPlan, on loop: any EventLoop, pid: pid_t) {
    self.plan = plan
    self.loop = loop
    self.pid = pid
  }

  /// Call on the loop.
  package func echo(_ body: String) {
    if let number = LoadBody.number(body) { current?.returned(number: number) }
  }

  package func failed() { current?.failed() }

  private func run(
    _ trips: RoundTrips.Plan, _ send: @escaping @Sendable (_ phase: Int, _ user: Int, _ number: Int) -> Void
  ) async throws -> RoundTrips.Account {
    phase += 1
    let phase = phase
    return try await loop.flatSubmit { [self] in
      let roundTrips = RoundTrips(plan: trips, on: loop) { send(phase, $0, $1) }
      current = roundTrips
      return roundTrips.run()
    }.get()
  }

  package func run(
    _ name: String, send: @escaping @Sendable (_ phase: Int, _ user: Int, _ number: Int) -> Void
  ) async throws -> BenchmarkResult {
    let idle = ProcessUsage.of(pid).residentMegabytes
    // Warm up: connections the target opens on demand, caches, branch predictors.
    _ = try await run(.init(count: 1000, users: 50, window: 50), send)
    let before = ProcessUsage.of(pid).cpuSeconds
    let saturation = try await run(.init(count: plan.count, users: 50, window: plan.window), send)
    let cpu = ProcessUsage.of(pid).cpuSeconds - before
    let steady = try await run(
      .init(count: Int(plan.rate) * plan.steadySeconds, users: 200, window: nil, rate: plan.rate), send)
    _ = try await run(.init(count: plan.activeUsers * 3, users: plan.activeUsers, window: nil, rate: 1500), send)
    let loaded = ProcessUsage.of(pid).residentMegabytes
    return BenchmarkResult(
      target: name, saturation: saturation,
      cpuPer10k: saturation.returned > 0 ? cpu * 10_000 / Double(saturation.returned) : 0, steady: steady,
      steadyRate: plan.rate, residentIdle: idle, residentLoaded: loaded)
  }
}

/// The targets: the gateway, and what comes nearest to it in a plain XMPP server.
package enum Benchmarks {
  /// XMPP in, SIP out, SIP in, XMPP out; TLS on all four.
  package static func gateway(_ plan: BenchmarkPlan, in workspace: Workspace) async throws -> BenchmarkResult {
    let stage = try await LoadStage(in: workspace)
    let (partner, platform) = (stage.partner, stage.platform)
    let bench = EchoBenchmark(plan, on: stage.loop, pid: stage.gateway.process.pid)
    try await stage.connect()
    try await stage.loop.submit {
      var sent = 0
      platform.onRequest = { request in
        sent += 1
        platform.send(echo(of: request, number: sent, host: platform.host))
        return 200
      }
      platform.onResponse = { if $0.status >= 300 { bench.failed() } }
      partner.onStanza = { stanza in
        if stanza["type"] == "error" { return bench.failed() }
        bench.echo(stanza.child("body", stanza.name.namespace)?.text ?? "")
      }
    }.get()
    let result = try await bench.run("drawbridge") { phase, user, number in
      partner.send(message(from: user, to: "c\(user)@\(partner.peer)", domain: partner.domain, phase, number))
    }
    await stage.close()
    return result
  }

  /// s2s in, to a component that echoes (XEP-0114), s2s out; TLS on both streams.
  package static func prosody(_ plan: BenchmarkPlan, in workspace: Workspace) async throws -> BenchmarkResult {
    try await server("prosody", plan, in: workspace) { certificate, authority, dns in
      var configuration = ProsodyConfiguration(
        domains: ["corp.test": certificate], users: [:], authority: authority, dns: dns)
      configuration.components = ["echo.corp.test"]
      configuration.logLevel = "warn"
      // Plain: acknowledging every stanza would cost it more than the echo.
      configuration.streamManagement = false
      let prosody = try await Prosody(configuration, in: workspace)
      return (prosody.process, prosody.serverPort, prosody.componentPort, configuration.componentPassword)
    }
  }

  package static func ejabberd(_ plan: BenchmarkPlan, in workspace: Workspace) async throws -> BenchmarkResult {
    try await server("ejabberd", plan, in: workspace) { certificate, authority, dns in
      var configuration = EjabberdConfiguration(
        domains: ["corp.test": certificate], users: [:], authority: authority, dns: dns)
      configuration.components = ["echo.corp.test"]
      configuration.logLevel = "warning"
      let ejabberd = try await Ejabberd(configuration, in: workspace)
      return (ejabberd.process, ejabberd.serverPort, ejabberd.componentPort, configuration.componentPassword)
    }
  }

  private static func server(
    _ name: String, _ plan: BenchmarkPlan, in workspace: Workspace,
    start: (Certificate, _ authority: String, DNSServer) async throws -> (ChildProcess, Int, Int, String)
  ) async throws -> BenchmarkResult {
    let authority = try await CertificateAuthority(in: workspace)
    var request = CertificateRequest.xmpp("corp.test")
    request.dnsNames.append("echo.corp.test")
    request.serviceNames.append("echo.corp.test")
    let certificate = try await authority.issue(request)
    let partnerCertificate = try await authority.issue(.xmpp(LoadStage.partnerDomain))
    let dns = try DNSServer()
    let partnerPort = try Loopback.freePort()
    dns.setXMPP(LoadStage.partnerDomain, port: partnerPort, host: "localhost")
    let (process, serverPort, componentPort, secret) = try await start(certificate, authority.root, dns)

    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    let partner = try LoadPartner(
      domain: LoadStage.partnerDomain, peer: "echo.corp.test", certificate: partnerCertificate,
      authority: authority.root, on: loop)
    let component = EchoComponent(domain: "echo.corp.test", secret: secret, on: loop)
    let bench = EchoBenchmark(plan, on: loop, pid: process.pid)
    try await loop.flatSubmit {
      partner.onStanza = { stanza in
        if stanza["type"] == "error" { return bench.failed() }
        bench.echo(stanza.child("body", stanza.name.namespace)?.text ?? "")
      }
      let up = loop.makePromise(of: Void.self)
      partner.onEstablished = { up.succeed() }
      partner.onOutClosed = { up.fail(LabError("the partner's stream ended: \($0)")) }
      return partner.listen(port: partnerPort).and(component.dial(port: componentPort)).flatMap { _ in
        partner.dial(port: serverPort)
        return up.futureResult
      }
    }.get()
    let result = try await bench.run(name) { phase, user, number in
      partner.send(message(from: user, to: "c\(user)@echo.corp.test", domain: partner.domain, phase, number))
    }
    try await loop.submit {
      partner.onOutClosed = nil
      partner.close()
    }.get()
    await process.stop()
    try await group.shutdownGracefully()
    return result
  }

  private static func message(from user: Int, to: String, domain: String, _ phase: Int, _ number: Int) -> [UInt8] {
    Array(
      ("<message from='p\(user)@\(domain)/load' to='\(to)' type='chat' id='b\(phase)-\(number)'>"
        + "<body>\(LoadBody.text(number))</body></message>").utf8)
  }

  private static func echo(of request: WireSIP, number: Int, host: String) -> WireSIP {
    let from = WireSIP.address(request["To"] ?? "")
    let to = WireSIP.address(request["From"] ?? "")
    return WireSIP(
      startLine: "MESSAGE sip:\(to) SIP/2.0",
      headers: [
        ("Via", "SIP/2.0/TLS \(host);branch=z9hG4bKecho\(number)"), ("Max-Forwards", "70"),
        ("From", "<sip:\(from)>;tag=e\(number)"), ("To", "<sip:\(to)>"), ("Call-ID", "echo-\(number)@\(host)"),
        ("CSeq", "1 MESSAGE"), ("Content-Type", "text/plain;charset=UTF-8"),
      ], body: request.body)
  }
}
