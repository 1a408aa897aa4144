import NIOCore
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(2))) struct ResolverTests {
  private static func zone() -> [String: NameServer.Answer] {
    [
      "_xmpp-server._tcp.both.test": .records([NameServer.srv(20, 0, 5269, "a.both.test")]),
      "_xmpps-server._tcp.both.test": .records([NameServer.srv(10, 0, 5270, "b.both.test")]),
      "a.both.test": .records([NameServer.a(192, 0, 2, 1), NameServer.a(192, 0, 2, 2), NameServer.aaaa(1)]),
      "b.both.test": .alias("c.both.test"),
      "c.both.test": .records([NameServer.a(192, 0, 2, 3)]),
      "plain.test": .records([NameServer.a(192, 0, 2, 4)]),
      "_xmpp-server._tcp.none.test": .records([NameServer.srv(0, 0, 0, ".")]),
      "none.test": .records([NameServer.a(192, 0, 2, 5)]),
      // XEP-0368 §2: no direct TLS, and no fallback to addresses either.
      "_xmpps-server._tcp.nodirect.test": .records([NameServer.srv(0, 0, 0, ".")]),
      "nodirect.test": .records([NameServer.a(192, 0, 2, 6)]),
      "_xmpp-server._tcp.smtp.test": .records([NameServer.srv(0, 0, 25, "plain.test")]),
      "smtp.test": .records([NameServer.a(192, 0, 2, 7)]),
      "_xmpp-server._tcp.dead.test": .records([
        NameServer.srv(0, 0, 5269, "gone.test"), NameServer.srv(1, 0, 5269, "plain.test"),
      ]),
      "_xmpp-server._tcp.alldead.test": .records([NameServer.srv(0, 0, 5269, "gone.test")]),
      "_xmpp-server._tcp.many.test": .records((0..<20).map { NameServer.srv($0, 0, 5269, "h\($0).many.test") }),
      "empty.test": .records([]),
      "_xmpp-server._tcp.failing.test": .failure,
      "failing.test": .records([NameServer.a(192, 0, 2, 8)]),
      "_xmpp-server._tcp.silent.test": .silence,
      "silent.test": .silence,
      "_sips._tcp.sip.test": .records([NameServer.srv(0, 0, 5081, "plain.test")]),
      "_sip._tcp.sip.test": .records([NameServer.srv(0, 0, 5080, "plain.test")]),
      "sip.test": .records([NameServer.a(192, 0, 2, 9)]),
    ].merging((0..<20).map { ("h\($0).many.test", .records([NameServer.a(192, 0, 3, $0)])) }) { a, _ in a }
  }

  private func with<T: Sendable>(timeout: TimeAmount = .seconds(20), _ body: (Resolver) throws -> EventLoopFuture<T>)
    async throws -> T
  {
    let server = try await NameServer.start(Self.zone())
    var configuration = ResolverConfiguration(servers: .addresses(["127.0.0.1@\(server.port)"]))
    configuration.timeout = timeout
    let resolver = try Resolver(configuration: configuration)
    let future = try body(resolver)
    let result: Result<T, any Error>
    do { result = .success(try await future.get()) } catch { result = .failure(error) }
    try await server.stop()
    return try result.get()
  }

  private func text(_ endpoints: [Endpoint]) -> [String] { endpoints.map { "\($0)\($0.tls ? " tls" : "")" } }

  @Test(arguments: [
    (
      "both.test", true,
      [
        "b.both.test (192.0.2.3:5270) tls", "a.both.test ([2001:db8::1]:5269)", "a.both.test (192.0.2.1:5269)",
        "a.both.test (192.0.2.2:5269)",
      ]
    ),
    (
      "both.test", false,
      [
        "a.both.test ([2001:db8::1]:5269)", "a.both.test (192.0.2.1:5269)", "a.both.test (192.0.2.2:5269)",
      ]
    ),
    ("plain.test", true, ["plain.test (192.0.2.4:5269)"]),
    ("dead.test", false, ["plain.test (192.0.2.4:5269)"]),
    // RFC 6120 §3.2.1 step 9.
    ("failing.test", false, ["failing.test (192.0.2.8:5269)"]),
    ("192.0.2.99", true, ["192.0.2.99:5269"]),
    ("2001:db8::9", true, ["[2001:db8::9]:5269"]),
  ])
  func xmpp(_ domain: String, _ directTLS: Bool, _ expected: [String]) async throws {
    let endpoints = try await with { $0.xmppServer(domain: domain, directTLS: directTLS, on: dnsLoop) }
    // The two addresses of one kind come in either order.
    #expect(Set(text(endpoints)) == Set(expected))
    #expect(text(endpoints).first == expected.first)
    #expect(endpoints.count == expected.count)
  }

  @Test(arguments: [
    ("none.test", ResolveError.noService("none.test offers no such service (SRV target \".\")")),
    ("nodirect.test", .noService("nodirect.test offers no such service (SRV target \".\")")),
    ("smtp.test", .noService("smtp.test names a forbidden port")),
    ("alldead.test", .noSuchDomain("gone.test")),
    ("unknown.test", .noSuchDomain("unknown.test")),
    ("empty.test", .noService("empty.test has no address")),
    ("silent.test", .timeout("silent.test")),
    ("a b", .failure("a b is not a domain name")),
    ("", .failure(" is not a domain name")),
    ("jörg.test", .failure("jörg.test is not a domain name")),
  ])
  func xmppErrors(_ domain: String, _ error: ResolveError) async throws {
    let timeout: TimeAmount = domain == "silent.test" ? .milliseconds(300) : .seconds(20)
    await #expect(throws: error) {
      try await with(timeout: timeout) { $0.xmppServer(domain: domain, directTLS: true, on: dnsLoop) }
    }
  }

  @Test func numberOfTargetsIsLimited() async throws {
    let endpoints = try await with { $0.xmppServer(domain: "many.test", directTLS: false, on: dnsLoop) }
    #expect(endpoints.map(\.host) == (0..<8).map { "h\($0).many.test" })
  }

  // RFC 3263 §4.2.
  @Test(
    arguments: [
      ("sip.test", nil, true, ["plain.test (192.0.2.4:5081) tls"]),
      ("sip.test", nil, false, ["plain.test (192.0.2.4:5080)"]),
      ("sip.test", 5099, true, ["sip.test (192.0.2.9:5099) tls"]),
      ("plain.test", nil, true, ["plain.test (192.0.2.4:5061) tls"]),
      ("plain.test", nil, false, ["plain.test (192.0.2.4:5060)"]),
      ("[2001:db8::1]", nil, true, ["[2001:db8::1] ([2001:db8::1]:5061) tls"]),
    ] as [(String, Int?, Bool, [String])])
  func sip(_ host: String, _ port: Int?, _ tls: Bool, _ expected: [String]) async throws {
    #expect(try await text(with { $0.sipServer(host: host, port: port, tls: tls, on: dnsLoop) }) == expected)
  }

  @Test func explicitAddresses() async throws {
    #expect(
      try await text(with { $0.addresses(host: "plain.test", port: 25, tls: false, on: dnsLoop) })
        == ["plain.test (192.0.2.4:25)"])
    await #expect(throws: ResolveError.failure("plain.test: there is no port 0")) {
      try await with { $0.addresses(host: "plain.test", port: 0, tls: false, on: dnsLoop) }
    }
  }

  @Test func numberOfQuestionsIsLimited() async throws {
    let server = try await NameServer.start(["silent.test": .silence])
    var configuration = ResolverConfiguration(servers: .addresses(["127.0.0.1@\(server.port)"]))
    configuration.maximumQuestions = 2
    let resolver = try Resolver(configuration: configuration)
    let first = resolver.addresses(host: "silent.test", port: 1, tls: false, on: dnsLoop)
    await #expect(throws: ResolveError.failure("too many look-ups at once, or the resolver is stopped")) {
      try await resolver.addresses(host: "plain.test", port: 1, tls: false, on: dnsLoop).get()
    }
    await #expect(throws: ResolveError.timeout("silent.test")) { try await first.get() }
    try await server.stop()
  }

  @Test func settingsAreChecked() {
    for (servers, text) in [([], "no name server is configured"), (["nonsense"], "name server nonsense: syntax error")]
    {
      let configuration = ResolverConfiguration(servers: .addresses(servers))
      #expect(throws: ResolveError.failure(text)) { try Resolver(configuration: configuration) }
    }
    var configuration = ResolverConfiguration(servers: .addresses(["127.0.0.1"]))
    configuration.trustAnchorFile = "/nowhere"
    #expect(throws: ResolveError.self) { try Resolver(configuration: configuration) }
  }
}

@Suite struct ServiceRecordTests {
  /// The same numbers every time (splitmix64).
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private func record(_ priority: UInt16, _ weight: UInt16, _ target: String) -> ServiceRecord {
    ServiceRecord(priority: priority, weight: weight, port: 5269, target: target, tls: false)
  }

  @Test func priorityComesFirst() {
    var random = Seeded(state: 1)
    let records = [record(20, 9, "c"), record(10, 0, "a"), record(15, 60000, "b")]
    #expect(ServiceRecord.ordered(records, using: &random).map(\.target) == ["a", "b", "c"])
  }

  @Test func weightsAreChances() {
    var random = Seeded(state: 3)
    let records = [record(1, 0, "zero"), record(1, 10, "ten"), record(1, 30, "thirty")]
    var firsts: [String: Int] = [:]
    for _ in 0..<4000 {
      let order = ServiceRecord.ordered(records, using: &random)
      #expect(order.count == 3)
      firsts[order[0].target, default: 0] += 1
    }
    // Expected 98, 976 and 2927; the bounds are more than ten standard deviations wide.
    #expect((1...400).contains(firsts["zero"] ?? 0))
    #expect((600...1400).contains(firsts["ten"] ?? 0))
    #expect((2500...3400).contains(firsts["thirty"] ?? 0))
  }

  /// MongooseIM #4759: equal priorities and no weights must not trap.
  @Test func equalWithoutWeights() {
    var random = Seeded(state: 2)
    let order = ServiceRecord.ordered([record(1, 0, "a"), record(1, 0, "b")], using: &random)
    #expect(Set(order.map(\.target)) == ["a", "b"])
    #expect(ServiceRecord.ordered([], using: &random) == [])
    let heavy = (0..<1000).map { record(1, 65535, "h\($0)") }
    #expect(ServiceRecord.ordered(heavy, using: &random).count == 1000)
  }

  @Test(
    arguments: [
      ([0, 1, 0, 2, 0x14, 0x95, 1, 0x41, 4, 0x74, 0x65, 0x73, 0x74, 0], "a.test"),
      ([0, 0, 0, 0, 0, 0, 0], ""),
      ([0, 1, 0, 2, 0x14, 0x95, 9, 0x41, 0], nil),
      ([0, 1, 0, 2, 0x14, 0x95, 1, 0x41], nil),
      ([0, 1, 0, 2, 0x14, 0x95, 0xC0, 0x0C, 0], nil),
      ([0, 1, 0, 2, 0x14, 0x95, 1, 0x20, 0], nil),
      ([0, 1], nil),
      ([], nil),
    ] as [([UInt8], String?)])
  func wireForm(_ data: [UInt8], _ target: String?) {
    #expect(ServiceRecord(data: data, tls: false)?.target == target)
  }

  @Test(arguments: [
    ("example.com", true), ("_xmpp-server._tcp.a-b.c", true), ("xn--jrg-sna.test", true), ("a", true),
    (String(repeating: "a", count: 63) + ".b", true), (String(repeating: "a", count: 64) + ".b", false),
    (String(repeating: "a.", count: 126) + "b", true), (String(repeating: "a.", count: 126) + "bb", false),
    ("", false), (".", false), ("a..b", false), ("a.", false), ("a b", false), ("a\0b", false), ("ä.test", false),
  ])
  func names(_ name: String, _ valid: Bool) {
    #expect(DNSName.isValid(name) == valid)
  }

  @Test func bogusAnswersAreNotFallenBackFrom() {
    #expect(
      ServiceDecision([.failure(.bogus("x")), .success([])], domain: "d") == .fail(.bogus("x")))
    #expect(ServiceDecision([.failure(.timeout("x")), .success([])], domain: "d") == .fallBack)
    let good = record(1, 1, "a")
    #expect(ServiceDecision([.failure(.timeout("x")), .success([good])], domain: "d") == .follow([good]))
  }
}
