import Logging
import NIOConcurrencyHelpers
import Testing

@testable import Gateway

@Suite struct LogfmtTests {
  @Test(arguments: [
    ("plain", "k=plain"), ("", "k=\"\""), ("two words", "k=\"two words\""), ("a=b", "k=\"a=b\""),
    ("say \"x\"", "k=\"say \\\"x\\\"\""), ("line\nlevel=error", "k=\"line\\nlevel=error\""),
    ("\u{1B}[31mred", "k=\"\\u{1b}[31mred\""), ("\u{202E}gnp", "k=\"\\u{202e}gnp\""), ("jörg", "k=\"jörg\""),
    ("a\\b", "k=\"a\\\\b\""), ("\u{2028}", "k=\"\\u{2028}\""),
  ])
  func value(_ value: String, line: String) {
    var logfmt = Logfmt()
    logfmt.add("k", value)
    #expect(String(decoding: logfmt.bytes, as: UTF8.self) == line)
  }

  @Test func wholeLine() {
    let written = NIOLockedValueBox<[UInt8]>([])
    var logger = Logger(label: "x") { label in
      LogfmtHandler(label: label, level: .info) { bytes in written.withLockedValue { $0 += bytes } }
    }
    logger[metadataKey: "peer"] = "a.test"
    logger.debug("not shown")
    logger.info("stream up", metadata: ["direction": "in"])
    let text = String(decoding: written.withLockedValue { $0 }, as: UTF8.self)
    #expect(text.hasSuffix(" level=info component=x msg=\"stream up\" direction=in peer=a.test\n"))
    #expect(text.wholeMatch(of: /ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z .*\n/) != nil)
  }
}
