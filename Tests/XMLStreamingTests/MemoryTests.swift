#if canImport(Glibc) && arch(x86_64)
  import Glibc
  import Testing

  @testable import XMLStreaming

  /// `mallinfo2`, which the module map of glibc leaves out. On x86-64 a returned structure is a hidden first argument.
  private func liveBytes() -> Int {
    typealias Mallinfo2 = @convention(c) (UnsafeMutablePointer<Int>) -> UnsafeMutableRawPointer?
    guard let symbol = dlsym(nil, "mallinfo2") else { return 0 }
    let mallinfo2 = unsafeBitCast(symbol, to: Mallinfo2.self)
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: 10) { fields in
      guard let base = fields.baseAddress else { return 0 }
      _ = mallinfo2(base)
      return fields[7] + fields[4]  // uordblks + hblkhd
    }
  }

  /// A2, A3, A6: bytes alive on the heap, not times. Each in a process of its own, where nothing else allocates.
  @Suite(.serialized) struct MemoryTests {
    static let hostile: [String] = [
      "",
      "<m>" + String(repeating: "<a/>", count: 47),
      "<m>" + (0..<46).map { "<a\($0)\(String(repeating: "y", count: 180))/>" }.joined(),
      "<m>" + (0..<46).map { "<a\(String(repeating: "y", count: 60))\($0)/>" }.joined(),
      "<\(String(repeating: "p", count: 150)):m xmlns:\(String(repeating: "p", count: 150))='u'>"
        + (0..<46).map { "<\(String(repeating: "p", count: 150)):m\($0)/>" }.joined(),
      "<m>" + String(repeating: "<a/>" + String(repeating: "x", count: 200), count: 46),
      String(repeating: "<m>", count: 8),
      "<m>" + String(repeating: "x", count: 9_980),
      "<m a='" + String(repeating: "x", count: 4_085),
      String(repeating: "<m a='" + String(repeating: "x", count: 4_000) + "'>", count: 2),
      "<m>"
        + (0..<2).map { part in "<a " + (0..<24).map { "a\(part)x\($0)='bbbbbbbbbbbbbbbbbbbbbbbb' " }.joined() + "/>" }
        .joined(),
      "<m "
        + (0..<28).map {
          "xmlns:\(String(repeating: "n", count: 30))\($0)='\(String(repeating: "u", count: 60))\($0)' "
        }
        .joined() + ">",
      (0..<2_000).map { "<n\($0) a\($0)=''/>" }.joined(),
      (0..<40).map { "<p\($0):m xmlns:p\($0)='u\($0)'>" + String(repeating: "x", count: 9_900) + "</p\($0):m>" }
        .joined(),
      "</broken>",
    ]

    @Test(arguments: hostile.indices)
    func anUnauthenticatedPeerHoldsLittle(index: Int) async {
      await #expect(processExitsWith: .success) { [index = index as Int] in
        let bytes = Array((streamHeader + MemoryTests.hostile[index]).utf8)
        let population = 500
        let before = liveBytes()
        var parsers: [XMLStreamParser] = []
        for _ in 0..<population {
          let parser = XMLStreamParser(limits: .beforeAuthentication)
          var events: [XMLStreamEvent] = []
          try? parser.feed(bytes, into: &events)
          parsers.append(parser)
        }
        let each = (liveBytes() - before) / population
        withExtendedLifetime((parsers, bytes)) {}
        // 64 KB for each connection, of which TLS and the channel need nearly a half.
        #expect(each < 40_960, "\(each) bytes each")
        parsers = []
        #expect((liveBytes() - before) / population < 1_024)
      }
    }

    /// A peer that invents names fills neither our tables nor Expat's.
    @Test func aLongStreamDoesNotGrow() async {
      await #expect(processExitsWith: .success) {
        let parser = XMLStreamParser(limits: .authenticated)
        var events: [XMLStreamEvent] = []
        try parser.feed(Array(streamHeader.utf8), into: &events)
        func send(_ range: Range<Int>) throws {
          for index in range {
            let stanza = "<n\(index) a\(index)='1' xmlns:p\(index)='u'><p\(index):m\(index)/></n\(index)>"
            try parser.feed(Array(stanza.utf8), into: &events)
            events.removeAll()
          }
        }
        try send(0..<10_000)
        let before = liveBytes()
        try send(10_000..<100_000)
        // 90,000 stanzas with four new names each would leave some 50 MB behind.
        #expect(liveBytes() - before < 8_000_000)
      }
    }
  }
#endif
