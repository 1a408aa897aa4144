import Testing

@testable import XMLStreaming

/// A10 (CVE-2022-25235): malformed UTF-8 never becomes text, wherever it stands and however it is cut.
@Suite struct EncodingTests {
  static let malformed: [[UInt8]] = [
    [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xC2, 0xC2],
    [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE1, 0x80], [0xE1, 0x80, 0x20], [0xE1, 0x20, 0x80],
    [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
    [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF],
    [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80], [0xF0, 0x90, 0x20, 0x80],
    [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    [0x00], [0x01], [0x08], [0x0B], [0x0C], [0x0E], [0x1F],
  ]

  @Test(arguments: malformed)
  func isRefusedEverywhere(bytes: [UInt8]) {
    let frames = [
      ("<m>", "</m>"), ("<m a='", "'/>"), ("<m", "/>"), ("<m ", "=''/>"), ("<", "/>"), ("<m><![CDATA[", "]]></m>"),
      ("<m xmlns:p='", "'/>"), ("<m xmlns='", "'/>"),
    ]
    for (before, after) in frames {
      let all = Array((streamHeader + before).utf8) + bytes + Array(after.utf8)
      for reading in [read([all]), bytewise(all)] {
        #expect(reading.elements.isEmpty, "in \(before)\(after)")
        #expect(reading.error != nil, "in \(before)\(after)")
      }
    }
  }

  @Test(arguments: [
    "\u{7F}", "\u{80}", "\u{85}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FEFF}", "\u{FFFD}", "\u{10000}",
    "\u{1FFFE}", "\u{10FFFF}", "\t", "e\u{301}", "👩‍👩‍👧", "שלום", "\u{2028}",
  ])
  func legalCharactersPass(text: String) {
    let all = Array((streamHeader + "<m a='\(text)x'>\(text)</m>").utf8)
    for reading in [read([all]), bytewise(all)] {
      #expect(Array((reading.elements.first?.text ?? "").utf8) == Array(text.utf8))
    }
  }
}
