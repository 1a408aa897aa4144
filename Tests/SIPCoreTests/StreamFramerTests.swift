import SIPCore
import Testing

@Suite struct StreamFramerTests {
  @Test func everySplitGivesTheSameEvents() {
    let stream =
      [0x0D, 0x0A, 0x0D, 0x0A] + wire(plainMessage) + [0x0D, 0x0A]
      + wire("SIP/2.0 200 OK\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\nl: 0\n\n")
      + wire("OPTIONS sip:a SIP/2.0\nbroken line\nContent-Length: 3\n\nabc") + wire(plainMessage)
    let whole = events(of: stream).map(summary)
    #expect(whole.count == 5)
    for cut in 0...stream.count {
      var framer = StreamFramer()
      var found: [String] = []
      for part in [stream[..<cut], stream[cut...]] {
        framer.append(Array(part))
        while let event = framer.next() { found.append(summary(event)) }
      }
      #expect(found == whole, "cut at \(cut)")
    }
    var framer = StreamFramer()
    var found: [String] = []
    for byte in stream {
      framer.append([byte])
      while let event = framer.next() { found.append(summary(event)) }
    }
    #expect(found == whole)
  }

  @Test func aLongStreamInOddPiecesDoesNotPileUp() {
    let message = wire(plainMessage)
    let stream = Array(repeatElement(message, count: 400).joined())
    var framer = StreamFramer()
    var count = 0
    var largest = 0
    var index = 0
    while index < stream.count {
      let end = min(index + 997, stream.count)
      framer.append(Array(stream[index..<end]))
      index = end
      while framer.next() != nil { count += 1 }
      largest = max(largest, framer.buffered)
    }
    #expect(count == 400)
    #expect(largest < message.count)
  }

  @Test func pingsAreCountedInPairs() {
    let crlf: [UInt8] = [0x0D, 0x0A]
    #expect(events(of: crlf).isEmpty)
    #expect(events(of: crlf + crlf).map(summary) == ["ping"])
    #expect(events(of: crlf + crlf + crlf).map(summary) == ["ping"])
    #expect(events(of: crlf + crlf + crlf + crlf).map(summary) == ["ping", "ping"])
  }

  static let limits = SIPLimits(startLine: 40, headerCount: 5, headerBytes: 300, bodyBytes: 20)

  static func request(startLine: Int = 30, headers: Int = 2, headerBytes: Int? = nil, body: Int = 0) -> [UInt8] {
    let start = "OPTIONS sip:" + String(repeating: "a", count: startLine - 20) + " SIP/2.0"
    var lines = [start, "Content-Length: \(body)"]
    for index in 1..<headers { lines.append("X\(index): y") }
    var text = lines.joined(separator: "\r\n") + "\r\n"
    if let headerBytes { text += "P: " + String(repeating: "p", count: headerBytes - text.utf8.count - 5) + "\r\n" }
    return Array((text + "\r\n").utf8) + Array(repeating: 0x62, count: body)
  }

  @Test(arguments: [
    ("startLine", request(startLine: 40), request(startLine: 41), "broken - 414 Start line too long"),
    ("headerCount", request(headers: 5), request(headers: 6), "broken - 413 Too many header fields"),
    ("headerBytes", request(headerBytes: 300), request(headerBytes: 301), "broken - 413 Header too large"),
    ("bodyBytes", request(body: 20), request(body: 21), "broken OPTIONS 413 Body too large"),
  ])
  func limit(name: String, allowed: [UInt8], tooMuch: [UInt8], refusal: String) {
    #expect(events(of: allowed, limits: Self.limits).map(summary).first?.hasPrefix("OPTIONS") == true)
    #expect(events(of: tooMuch, limits: Self.limits).map(summary) == [refusal])
    // However the bytes come.
    for (bytes, isAllowed) in [(allowed, true), (tooMuch, false)] {
      var framer = StreamFramer(limits: Self.limits)
      var found: [String] = []
      for byte in bytes {
        framer.append([byte])
        while let event = framer.next() { found.append(summary(event)) }
      }
      #expect(found.count == 1)
      #expect(found.first?.hasPrefix("OPTIONS") == isAllowed)
    }
  }

  @Test func garbageIsCutOffBeforeItFillsMemory() {
    var framer = StreamFramer()
    var fed = 0
    var broken = false
    while fed < 100_000_000, !broken {
      framer.append([UInt8](repeating: 0x41, count: 1000))
      fed += 1000
      if case .broken = framer.next() { broken = true }
    }
    #expect(broken)
    #expect(fed < 10_000)
    framer.append(wire(plainMessage))
    #expect(framer.next() == nil)
    #expect(framer.buffered == 0)
  }

  @Test func endlessHeadersAreCutOff() {
    var framer = StreamFramer()
    framer.append(wire("OPTIONS sip:a SIP/2.0\n"))
    var fed = 0
    var broken = false
    while fed < 10_000_000, !broken {
      framer.append(wire("X: y\n"))
      fed += 6
      if case .broken = framer.next() { broken = true }
    }
    #expect(fed <= SIPLimits().headerBytes + 6)
  }

  @Test(arguments: [
    ("OPTIONS sip:a SIP/2.0\nVia: x\n\n", "broken OPTIONS 400 Missing Content-Length"),
    ("OPTIONS sip:a SIP/2.0\nl: 1\nContent-Length: 2\n\n", "broken OPTIONS 400 Conflicting Content-Length"),
    ("OPTIONS sip:a SIP/2.0\nl: 99999999999999999999\n\n", "broken OPTIONS 400 Malformed Content-Length"),
    ("OPTIONS sip:a SIP/2.0\nl: 0x0\n\n", "broken OPTIONS 400 Malformed Content-Length"),
    ("hello\n\n", "broken - 400 Malformed start line"),
    ("GET / HTTP/1.1\nl: 0\n\n", "malformed GET 400 Malformed request line"),
    ("SIP/2.0 99 No\nl: 0\n\n", "broken - 400 Malformed status line"),
    ("OPTIONS sip:a SIP/2.0\n : x\nl: 0\n\n", "malformed OPTIONS 400 Folded line before the first header"),
    ("OPTIONS sip:a SIP/2.0\n: x\nl: 0\n\n", "malformed OPTIONS 400 Malformed header line"),
  ])
  func unreadable(text: String, expected: String) {
    #expect(events(of: wire(text)).map(summary) == [expected])
  }

  @Test func aBareLineFeedIsNoLineEnd() {
    let bytes = Array("OPTIONS sip:a SIP/2.0\r\nVia: a\nFrom: b\r\nContent-Length: 0\r\n\r\n".utf8)
    #expect(events(of: bytes).map(summary) == ["broken - 400 Bare CR or LF in header"])
  }

  @Test func everyTruncationAndEveryFlippedByteIsSurvived() {
    for name in ["wsinv", "longreq", "mpart01", "unreason"] {
      let bytes = TortureMessages.bytes(name)
      for index in bytes.indices {
        _ = events(of: Array(bytes[..<index]))
        for mask: UInt8 in [0x21, 0x80] {
          var mutated = bytes
          mutated[index] ^= mask
          for event in events(of: mutated) {
            if case .message(.request(let request)) = event {
              _ = try? request.essentials()
              _ = request.uri
              _ = request.bytes
            }
          }
        }
      }
    }
  }
}
