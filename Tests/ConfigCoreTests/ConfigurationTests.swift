import Testing

@testable import ConfigCore

@Suite struct ConfigurationTests {
  @Test func theMinimalFileLeavesTheDefaults() throws {
    let reading = read(minimal)
    #expect(reading.problems.isEmpty)
    let configuration = try #require(reading.configuration)
    #expect(configuration.queue == QueueSettings())
    #expect(configuration.queue.timeToLive == .seconds(3600))
    #expect(configuration.queue.answerDelay == .seconds(2))
    #expect(configuration.queue.bytesPerDestination == 32 * 1024 * 1024)
    #expect(configuration.store == StoreSettings())
    #expect(configuration.xmpp.port == 5269)
    #expect(configuration.metrics.port == 9469)
    #expect(configuration.tls.ca == .system)
    #expect(configuration.domains.map(\.name) == ["corp.test"])
    #expect(configuration.partners == [configuration.partners[0]])
    #expect(configuration.partners[0].tls == .required)
    #expect(configuration.partners[0].methods == [.certificate])
    #expect(configuration.platforms[0].effectivePeers == ["fe.corp.test"])
    #expect(configuration.platforms[0].mode == .page)
  }

  @Test func everyOptionIsTaken() throws {
    let reading = read(
      """
      [[domain]]
      name = "Corp.Test"
      platform = "lab"
      certificate = "/c"
      key = "/k"
      [[partner]]
      domain = "partner.test"
      tls = "optional"
      dialback = true
      address = "192.0.2.1"
      port = 5270
      direct-tls = true
      [[platform]]
      name = "lab"
      kind = "sip"
      mode = "session"
      transport = "tcp"
      host-name = "gw.test"
      next-hop = "192.0.2.9"
      next-hop-port = 5060
      listen = ["127.0.0.1"]
      listen-port = 5070
      trusted-peers = ["192.0.2.9", "2001:DB8::9"]
      check-interval = "5s"
      session-idle = "1h"
      [xmpp]
      listen = ["::1"]
      port = 5279
      direct-tls-port = 5270
      connections = 7
      connections-per-address = 6
      stanza-bytes = "10000B"
      negotiation-timeout = "1s"
      idle-timeout = "1d"
      confirmation-timeout = "1m"
      [tls]
      ca = "/ca"
      minimum-version = "1.3"
      [dns]
      servers = ["127.0.0.1@5353", "::1"]
      timeout = "500ms"
      [queue]
      time-to-live = "2d"
      answer-delay = "0s"
      retry-minimum = "100ms"
      retry-maximum = "1s"
      messages-per-destination = 1
      bytes-per-destination = "64KiB"
      messages-total = 2
      bytes-total = "128KiB"
      [store]
      path = "/s"
      maximum-size = "1MiB"
      [log]
      level = "trace"
      [metrics]
      enabled = false
      address = "::"
      port = 1
      """)
    let found = try #require(reading.configuration, "\(reading.problems)")
    var expected = Configuration()
    var domain = Domain()
    (domain.name, domain.platform, domain.certificate, domain.key) = ("corp.test", "lab", "/c", "/k")
    expected.domains = [domain]
    var partner = Partner()
    (partner.domain, partner.tls, partner.dialback) = ("partner.test", .optional, true)
    (partner.address, partner.port, partner.directTLS) = ("192.0.2.1", 5270, true)
    expected.partners = [partner]
    var platform = Platform()
    (platform.name, platform.mode, platform.transport, platform.hostName) = ("lab", .session, .tcp, "gw.test")
    (platform.nextHop, platform.nextHopPort) = ("192.0.2.9", 5060)
    (platform.listen, platform.listenPort) = (["127.0.0.1"], 5070)
    platform.trustedPeers = ["192.0.2.9", "2001:db8::9"]
    (platform.checkInterval, platform.sessionIdle) = (.seconds(5), .seconds(3600))
    expected.platforms = [platform]
    expected.xmpp.listen = ["::1"]
    (expected.xmpp.port, expected.xmpp.directTLSPort) = (5279, 5270)
    (expected.xmpp.connections, expected.xmpp.connectionsPerAddress) = (7, 6)
    expected.xmpp.stanzaBytes = 10_000
    (expected.xmpp.negotiationTimeout, expected.xmpp.idleTimeout) = (.seconds(1), .seconds(86400))
    expected.xmpp.confirmationTimeout = .seconds(60)
    (expected.tls.ca, expected.tls.minimumVersion) = (.file("/ca"), .v1_3)
    (expected.dns.servers, expected.dns.timeout) = (["127.0.0.1@5353", "::1"], .milliseconds(500))
    (expected.queue.timeToLive, expected.queue.answerDelay) = (.seconds(172_800), .zero)
    (expected.queue.retryMinimum, expected.queue.retryMaximum) = (.milliseconds(100), .seconds(1))
    (expected.queue.messagesPerDestination, expected.queue.bytesPerDestination) = (1, 65536)
    (expected.queue.messagesTotal, expected.queue.bytesTotal) = (2, 131_072)
    (expected.store.path, expected.store.maximumSize) = ("/s", 1 << 20)
    expected.log.level = .trace
    (expected.metrics.enabled, expected.metrics.address, expected.metrics.port) = (false, "::", 1)
    #expect(found == expected)
    // And the whole of it, written and read again, is the same.
    #expect(read(found.rendered()).configuration == expected)
  }

  /// What may be combined, and what is warned of. There is no level without TLS and none without certificates, so four
  /// rows are left of the usual matrix (TLS × SASL × dialback).
  @Test(
    arguments: [
      ("required", false, [.certificate], nil),
      ("required", true, [.certificate, .dialbackOverTLS], nil),
      ("optional", false, [.certificate], "can never prove who it is"),
      ("optional", true, [.certificate, .dialbackOverTLS, .dialbackInClear], "may travel unencrypted"),
    ] as [(String, Bool, Set<Partner.Method>, String?)])
  func trustOfPartners(tls: String, dialback: Bool, methods: Set<Partner.Method>, warning: String?) throws {
    let reading = read(minimal + "tls = \"\(tls)\"\ndialback = \(dialback)\n")
    let configuration = try #require(reading.configuration)
    #expect(configuration.partners[0].methods == methods)
    #expect(reading.warnings.map(\.line) == (warning == nil ? [] : [15]))
    #expect(reading.warnings.allSatisfy { $0.problem.contains(warning ?? "") })
  }

  @Test func questionableSettingsWarnAndAreUsed() {
    let unused =
      minimal.replacing("platform = \"skype\"", with: "platform = \"b\"")
      + "[[platform]]\nname = \"b\"\nhost-name = \"gw.corp.test\"\nnext-hop = \"::1\"\ntransport = \"tcp\"\nlisten-port = 5060\n"
    let reading = read(unused)
    #expect(reading.configuration != nil)
    #expect(reading.warnings.map(\.line) == [7, 19])
    #expect(reading.warnings.map(\.path) == ["platform[1].name", "platform[2].transport"])
  }

  @Test func sectionsMayBeWrittenInEveryWayOfTOML() throws {
    let text = """
      queue.answer-delay = "3s"
      domain = [ { name = "corp.test", platform = "skype", certificate = "/c", key = '/k' } ]
      "log" = { "level" = "debug" }
      partner = [{domain = "a.test"}, {domain = "b.test"}]
      [[platform]]
      name = \"""
      skype\"""
      host-name = "gw.corp.test" # not "a" = [[b]]
      next-hop = "fe.corp.test"
      certificate = "/c"
      key = "/k"
      """
    let configuration = try #require(read(text).configuration, "\(read(text).problems)")
    #expect(configuration.queue.answerDelay == .seconds(3))
    #expect(configuration.log.level == .debug)
    #expect(configuration.partners.map(\.domain) == ["a.test", "b.test"])
  }
}
