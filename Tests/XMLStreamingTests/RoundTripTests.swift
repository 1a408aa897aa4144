import Testing

@testable import XMLStreaming

/// A11, stanza smuggling: what we write is what we read, so no other parser of the standard is told a different story.
@Suite struct RoundTripTests {
  static let pieces = [
    "a", "xy", " ", "\n", "\r", "\t", "<", ">", "&", "'", "\"", "]]>", "<![CDATA[", "</stream:stream>", "<!--", "?>",
    "é", "😀", "\u{FEFF}", "\u{85}", "&amp;", "&#0;", "\u{0}", "\u{FFFE}", "\u{1}",
  ]
  static let names = ["message", "body", "stream", "a", "x-y.z", "é", "_", "xmlns", "iq", "ns0"]
  static let namespaces = [
    "jabber:server", "jabber:client", "", "urn:x", "http://etherx.jabber.org/streams", "jabber:server:dialback",
    "urn:'<&>\"", XMLNamespace.xml, "a b", "jabber:server ",
  ]

  static func tree(_ random: inout SeededGenerator, depth: Int) -> XMLElement {
    func pick(_ list: [String]) -> String { list[Int.random(in: 0..<list.count, using: &random)] }
    func text() -> String { (0..<Int.random(in: 0...5, using: &random)).map { _ in pick(pieces) }.joined() }
    var element = XMLElement(pick(names), namespace: pick(namespaces))
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      element.setAttribute(pick(names), namespace: pick(namespaces), text())
    }
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      if depth > 0 && Bool.random(using: &random) {
        element.add(tree(&random, depth: depth - 1))
      } else {
        element.add(text: text())
      }
    }
    return element
  }

  /// What the writer promises to make of a tree: joined text, replaced characters, no attribute `xmlns`.
  static func normalised(_ element: XMLElement) -> XMLElement {
    var copy = XMLElement(name: element.name)
    for attribute in element.attributes where attribute.name != XMLName("xmlns") {
      copy.attributes.append(XMLAttribute(attribute.name, XMLCharacter.sanitized(attribute.value)))
    }
    for item in element.content {
      switch item {
      case .element(let child): copy.add(normalised(child))
      case .text(let text):
        if case .text(let before)? = copy.content.last {
          copy.content[copy.content.count - 1] = .text(before + XMLCharacter.sanitized(text))
        } else {
          copy.add(text: XMLCharacter.sanitized(text))
        }
      }
    }
    return copy
  }

  @Test(arguments: 0..<40)
  func whateverIsWrittenIsReadBack(seed: Int) {
    var random = SeededGenerator(state: UInt64(seed))
    for _ in 0..<50 {
      var tree = Self.tree(&random, depth: 4)
      tree.name = XMLName("message", namespace: "jabber:server")
      let wire = written(tree)
      let reading = readStanzas(wire)
      #expect(reading.error == nil, "\(wire)")
      #expect(reading.elements == [Self.normalised(tree)], "\(wire)")
      if let read = reading.elements.first { #expect(readStanzas(written(read)).elements == [read]) }
    }
  }

  /// Mutated wire bytes: refused, or read the same again after being written. Never a crash.
  @Test(arguments: 0..<40)
  func whateverIsReadIsWrittenBack(seed: Int) {
    var random = SeededGenerator(state: UInt64(seed) &+ 1_000)
    let marks = Array("<>&'\"/=:!?[]-#;x \u{1}".utf8) + [0x80, 0xC3, 0xEF]
    for _ in 0..<100 {
      var tree = Self.tree(&random, depth: 3)
      tree.name = XMLName("message", namespace: "jabber:server")
      var bytes = Array(written(tree).utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[at] = marks[Int.random(in: 0..<marks.count, using: &random)]
        case 1: bytes.insert(marks[Int.random(in: 0..<marks.count, using: &random)], at: at)
        default: if bytes.count > 1 { bytes.remove(at: at) }
        }
      }
      let all = Array(streamHeader.utf8) + bytes
      let reading = read([all])
      for element in reading.elements { #expect(readStanzas(written(element)).elements == [element]) }
      let cut = Int.random(in: 0...all.count, using: &random)
      let split = read([Array(all[..<cut]), Array(all[cut...])])
      #expect(split.events == reading.events)
      #expect(split.condition == reading.condition)
      let single = bytewise(all)
      #expect(single.events == reading.events)
      #expect(single.condition == reading.condition)
    }
  }
}
