import Testing

@testable import ConfigCore

/// One file, one mistake: where it is, and what is said about it.
@Suite struct MistakeTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var text: String
    var line: Int?
    var path: String
    var says: String
    var fix: String
    var testDescription: String { text }

    /// `text` goes behind the minimal file: its first line is line 15.
    init(_ text: String, _ line: Int?, _ path: String, _ says: String, _ fix: String) {
      (self.text, self.line, self.path, self.says, self.fix) = (minimal + text, line, path, says, fix)
    }

    /// The minimal file with something replaced.
    init(
      replacing old: String, with new: String, _ line: Int?, _ path: String, _ says: String, _ fix: String
    ) {
      var parts = minimal.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      precondition(parts.count == 2, old)
      parts.insert(new, at: 1)
      (self.text, self.line, self.path, self.says, self.fix) = (parts.joined(), line, path, says, fix)
    }
  }

  static let syntax: [Row] = [
    Row("[queue\n", 15, "", "while parsing", "valid TOML"),
    Row("[queue]\n\nanswer-delay = = 1\n", 17, "", "while parsing", "valid TOML"),
    Row("[queue]\nanswer-delay = \"1s\"\nanswer-delay = \"2s\"\n", 17, "", "while parsing", "valid TOML"),
    Row("[store]\npath = \"/a\\u0000b\"\n", 16, "", "NUL", "remove"),
    Row("[store]\npath = \"/a\u{0}b\"\n", 16, "", "NUL", "remove"),
  ]

  static let unknown: [Row] = [
    Row("[queue]\ntime-to-life = \"1h\"\n", 16, "queue.time-to-life", "no such option", "did you mean time-to-live?"),
    Row("[queue]\nlevel = \"info\"\n", 16, "queue.level", "no such option", "move it below [log]"),
    Row("[queue]\nxyzzy = 1\n", 16, "queue.xyzzy", "no such option", "[queue] has time-to-live, "),
    Row("dialbck = true\n", 15, "partner[1].dialbck", "no such option", "did you mean dialback?"),
    Row("[metric]\n", 15, "metric", "no such section", "did you mean [metrics]?"),
    Row("[[parner]]\ndomain = \"x.test\"\n", 15, "parner", "no such section", "did you mean [[partner]]?"),
    Row("[zzz]\n", 15, "zzz", "no such section", "use one of [[domain]], "),
    Row(
      replacing: "[[domain]]", with: "level = \"info\"\n[[domain]]", 1, "level", "in no section", "move it below [log]"),
    Row(replacing: "[[partner]]", with: "[partner]", 12, "partner", "several partner sections", "write [[partner]]"),
    Row("[[queue]]\n", 15, "queue", "one section", "write [queue], once"),
  ]

  static let types: [Row] = [
    Row("[queue]\ntime-to-live = 30\n", 16, "queue.time-to-live", "this is a number, not a duration", "like \"30s\""),
    Row("[queue]\ntime-to-live = \"30 s\"\n", 16, "queue.time-to-live", "\"30 s\" is not a duration", "like \"30s\""),
    Row("[queue]\ntime-to-live = \"99999999999999999d\"\n", 16, "queue.time-to-live", "not a duration", "30s"),
    Row("[queue]\ntime-to-live = \"1s\"\n", 16, "queue.time-to-live", "\"1s\" is out of range", "from 10s to 30d"),
    Row("[queue]\nbytes-total = \"1GB\"\n", 16, "queue.bytes-total", "\"1GB\" is not a size", "KiB"),
    Row("[queue]\nbytes-total = \"1KiB\"\n", 16, "queue.bytes-total", "out of range", "from 64KiB to 1024GiB"),
    Row("[queue]\nmessages-total = \"7\"\n", 16, "queue.messages-total", "this is a text in quotes", "without quotes"),
    Row("[queue]\nmessages-total = 0\n", 16, "queue.messages-total", "0 is out of range", "from 1 to"),
    Row("[queue]\nmessages-total = 1.5\n", 16, "queue.messages-total", "a number with a fraction", "a number from"),
    Row("[xmpp]\nport = 65536\n", 16, "xmpp.port", "65536 is out of range", "from 1 to 65535"),
    Row("[xmpp]\nlisten = \"::\"\n", 16, "xmpp.listen", "this is a text in quotes", "write a list"),
    Row("[xmpp]\nlisten = []\n", 16, "xmpp.listen", "the list is empty", "name 1 at least"),
    Row(
      "[xmpp]\nlisten = [\n  \"::\",\n  \"localhost\",\n]\n", 18, "xmpp.listen[2]", "not an IP address",
      "numeric address"),
    Row("[xmpp]\nlisten = [\"::\", 1]\n", 16, "xmpp.listen[2]", "this is a number", "numeric address"),
    Row("[metrics]\nenabled = \"yes\"\n", 16, "metrics.enabled", "this is a text", "true or false, without quotes"),
    Row("[metrics]\naddress = \"127.0.0.256\"\n", 16, "metrics.address", "not an IP address", "192.0.2.7"),
    Row("[log]\nlevel = \"inf\"\n", 16, "log.level", "\"inf\" is not \"trace\"", "did you mean \"info\"?"),
    Row("[log]\nlevel = \"loud\"\n", 16, "log.level", "\"loud\" is not", "\"notice\", \"warning\" or \"error\""),
    Row("[tls]\nminimum-version = 1.2\n", 16, "tls.minimum-version", "a number with a fraction", "\"1.2\" or \"1.3\""),
    Row("[tls]\nca = \"ca.pem\"\n", 16, "tls.ca", "not the path of a file", "\"system\", or the whole path"),
    Row("[dns]\nservers = [\"1.1.1.1:53\"]\n", 16, "dns.servers[1]", "not a DNS server", "address@port"),
    Row("[store]\npath = \"store\"\n", 16, "store.path", "not the path of a directory", "from / on"),
    Row("tls = 2026-01-01\n", 15, "partner[1].tls", "this is a date", "\"required\" or \"optional\""),
    Row("queue = { answer-delay = 2 }\n", 15, "partner[1].queue", "no such option", "remove it"),
    Row(
      replacing: "\"partner.test\"", with: "\"partner .test\"", 13, "partner[1].domain", "not a domain name",
      "example.org"),
    Row(
      replacing: "\"partner.test\"", with: "\"bücher.test\"", 13, "partner[1].domain", "not a domain name", "A-labels"),
    Row(replacing: "name = \"skype\"", with: "name = \"Sky pe\"", 7, "platform[1].name", "not a short name", "a-z"),
    Row(replacing: "key = \"/k\"\n", with: "", 1, "domain[1].key", "required", "key = \"/etc/"),
    Row(replacing: "domain = \"partner.test\"\n", with: "", 12, "partner[1].domain", "required", "partner.example"),
    Row(replacing: "next-hop = \"fe.corp.test\"\n", with: "", 6, "platform[1].next-hop", "required", "frontend"),
  ]

  static let relations: [Row] = [
    Row(
      "[[domain]]\nname = \"CORP.test\"\nplatform = \"skype\"\ncertificate = \"/c\"\nkey = \"/k\"\n", 16,
      "domain[2].name",
      "\"corp.test\" is already there in line 2", "remove one"),
    Row("[[partner]]\ndomain = \"partner.test\"\n", 16, "partner[2].domain", "already there in line 13", "remove one"),
    Row("[[partner]]\ndomain = \"corp.test\"\n", 16, "partner[2].domain", "a domain of the organisation", "remove it"),
    Row("port = 5269\n", 15, "partner[1].port", "a port without an address", "add address"),
    Row("direct-tls = true\n", 15, "partner[1].direct-tls", "DNS tells", "add address"),
    Row(
      replacing: "platform = \"skype\"", with: "platform = \"sype\"", 3, "domain[1].platform", "no platform \"sype\"",
      "did you mean \"skype\"?"),
    Row(
      replacing: "platform = \"skype\"", with: "platform = \"teams\"", 3, "domain[1].platform", "no platform \"teams\"",
      "add a [[platform]] section"),
    Row(
      replacing: "certificate = \"/c\"\nkey = \"/k\"\n[[partner]]", with: "certificate = \"/c\"\n[[partner]]", 6,
      "platform[1].key", "required for transport = \"tls\"", "PEM"),
    Row(
      replacing: "next-hop = \"fe.corp.test\"", with: "next-hop = \"192.0.2.1\"", 6, "platform[1].trusted-peers",
      "which name", "add trusted-peers"),
    Row(
      replacing: "key = \"/k\"\n[[partner]]", with: "key = \"/k\"\ntrusted-peers = [\"a.test\",\n\"::1\"]\n[[partner]]",
      13,
      "platform[1].trusted-peers[2]", "not the address ::1", "write the name"),
    Row(
      replacing: "next-hop = \"fe.corp.test\"", with: "next-hop = \"fe.corp.test\"\ntransport = \"tcp\"", 6,
      "platform[1].trusted-peers", "recognised by its address", "add trusted-peers"),
    Row(
      replacing: "next-hop = \"fe.corp.test\"",
      with: "next-hop = \"fe.corp.test\"\ntransport = \"tcp\"\ntrusted-peers = [\"fe.corp.test\"]", 11,
      "platform[1].trusted-peers[1]", "only an address", "IP address"),
    Row("[metrics]\naddress = \"::\"\nport = 5269\n", 17, "metrics.port", "already used by xmpp.port", "another port"),
    Row("[xmpp]\ndirect-tls-port = 5061\n", 6, "platform[1].listen-port", "used by xmpp.direct-tls-port", "another"),
    Row("[xmpp]\nport = 5061\n", 6, "platform[1].listen-port", "port 5061 on 0.0.0.0", "another"),
    Row("[xmpp]\nlisten = [\"::1\", \"::1\"]\n", 15, "xmpp.port", "its own list", "another address"),
    Row("[queue]\nretry-minimum = \"2m\"\n", 16, "queue.retry-minimum", "more than queue.retry-maximum", "lower it"),
    Row("[queue]\nmessages-per-destination = 200000\n", 16, "queue.messages-per-destination", "more than", "lower it"),
    Row("[queue]\nbytes-total = \"1MiB\"\n", 15, "queue.bytes-per-destination", "more than queue.bytes-total", "raise"),
    Row("[queue]\ntime-to-live = \"10s\"\nanswer-delay = \"10s\"\n", 17, "queue.answer-delay", "more than", "raise"),
    Row("[store]\nmaximum-size = \"511MiB\"\n", 16, "store.maximum-size", "not fit", "twice queue.bytes-total"),
  ]

  @Test(arguments: [syntax, unknown, types, relations].flatMap { $0 })
  func isFound(row: Row) throws {
    let reading = read(row.text)
    #expect(reading.configuration == nil)
    try #require(reading.errors.count == 1, "\(reading.problems)")
    let problem = reading.errors[0]
    #expect(problem.line == row.line)
    #expect(problem.path == row.path)
    #expect(problem.problem.contains(row.says), "\(problem.problem)")
    #expect(problem.fix.contains(row.fix), "\(problem.fix)")
  }

  @Test func allAreToldAtOnceInTheOrderOfLines() {
    let reading = read("[log]\nlevel = 3\n[queue]\nfoo = 1\nanswer-delay = \"1x\"\n")
    #expect(reading.errors.map(\.line) == [nil, 2, 4, 5])
    #expect(reading.errors.map(\.path) == ["", "log.level", "queue.foo", "queue.answer-delay"])
    #expect(reading.errors[0].problem == "no domain is served")
    #expect(reading.warnings.map(\.problem) == ["there is no partner: nobody can be talked to"])
  }

  @Test func isPrintedSoThatEditorsFindIt() {
    let problem = read(minimal + "[queue]\nfoo = 1\n").errors[0]
    #expect(
      problem.text(file: "/etc/drawbridge.toml").hasPrefix(
        "/etc/drawbridge.toml:16: error: queue.foo: there is no such option (fix: remove it; [queue] has "))
    let whole = ConfigurationProblem(
      line: nil, path: "", problem: "no domain is served", fix: "add one", severity: .warning)
    #expect(whole.text(file: "f") == "f: warning: no domain is served (fix: add one)")
  }

  @Test func textThatIsNotUTF8IsRefused() {
    let reading = Configuration.read(Array("# ok\n# \u{E9}\n".utf8) + [0x23, 0xFF, 0x0A])
    #expect(reading.errors.map(\.line) == [3])
    #expect(reading.errors.map(\.problem) == ["the file is not UTF-8 text"])
  }

  @Test func aFileIsNotReadBeyondItsLimit() {
    let rest = Array(repeating: UInt8(ascii: "\n"), count: Document.maximumSize - minimal.utf8.count)
    #expect(Configuration.read(Array(minimal.utf8) + rest).problems.isEmpty)
    #expect(Configuration.read(Array(minimal.utf8) + rest + [10]).errors.map(\.fix) == ["give a file of 1 MiB at most"])
  }

  @Test func filesAreAskedFor() {
    let text = minimal + "[tls]\nca = \"/ca\"\n"
    let reading = Configuration.read(Array(text.utf8)) { $0.path == "/k" || $0.path == "/ca" ? "does not exist" : nil }
    #expect(reading.errors.map(\.line) == [5, 11, 16])
    #expect(reading.errors.map(\.path) == ["domain[1].key", "platform[1].key", "tls.ca"])
    #expect(reading.errors[0].problem == "/k: does not exist")
    #expect(reading.errors[2].fix == "name a readable certificate authorities file in PEM form")
  }
}
