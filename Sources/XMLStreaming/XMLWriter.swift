/// Writes elements as UTF-8. Whatever it is given, what comes out is well-formed:
///
/// - a character that XML cannot carry becomes U+FFFD;
/// - an element whose name is no NCName is left out with all in it, an attribute likewise;
/// - of two attributes with one name the first stays;
/// - `xmlns` can only be written by the writer itself.
package struct XMLWriter {
  /// namespace → prefix, declared by the stream header that the output goes behind.
  private let prefixes: [String: String]
  private var out: [UInt8]

  /// Appends `element` as it has to look inside a stream whose header declared `streamDefault` as the default namespace
  /// and `prefixes` (namespace → prefix). Other namespaces are declared where they are needed.
  package static func serialize(
    _ element: XMLElement, streamDefault: String, prefixes: [String: String] = [:], into out: inout [UInt8]
  ) {
    var writer = XMLWriter(prefixes: prefixes, out: out)
    out = []  // The writer owns the only reference: it appends in place.
    writer.write(element, inherited: streamDefault)
    swap(&out, &writer.out)
  }

  /// A document of its own.
  package static func document(_ element: XMLElement) -> [UInt8] {
    var out = Array("<?xml version='1.0' encoding='UTF-8'?>".utf8)
    serialize(element, streamDefault: "", into: &out)
    return out
  }

  private init(prefixes: [String: String], out: consuming [UInt8]) {
    self.prefixes = prefixes
    self.out = out
  }

  private mutating func write(_ element: XMLElement, inherited: String) {
    guard let tag = tag(for: element.name, inherited: inherited) else { return }
    out.append(UInt8(ascii: "<"))
    append(tag)
    if tag.declares {
      appendRaw(" xmlns='")
      appendAttributeValue(element.name.namespace)
      out.append(UInt8(ascii: "'"))
    }
    if !element.attributes.isEmpty { writeAttributes(element.attributes) }
    if element.content.isEmpty {
      appendRaw("/>")
      return
    }
    out.append(UInt8(ascii: ">"))
    for item in element.content {
      switch item {
      case .element(let child): write(child, inherited: tag.inside)
      case .text(let text): appendText(text)
      }
    }
    appendRaw("</")
    append(tag)
    out.append(UInt8(ascii: ">"))
  }

  private struct Tag {
    var prefix: String?
    var local: String
    /// Whether `xmlns='…'` has to be written.
    var declares: Bool
    /// The default namespace of what is inside.
    var inside: String
  }

  private func tag(for name: XMLName, inherited: String) -> Tag? {
    guard XMLCharacter.isNCName(name.local) else { return nil }
    if name.namespace == inherited {
      return Tag(prefix: nil, local: name.local, declares: false, inside: inherited)
    }
    if let prefix = prefix(for: name.namespace) {
      return Tag(prefix: prefix, local: name.local, declares: false, inside: inherited)
    }
    if name.namespace == XMLNamespace.xmlns { return nil }
    return Tag(prefix: nil, local: name.local, declares: true, inside: name.namespace)
  }

  private func prefix(for namespace: String) -> String? {
    if namespace == XMLNamespace.xml { return "xml" }
    guard !namespace.isEmpty, let prefix = prefixes[namespace], Self.isUsable(prefix: prefix) else { return nil }
    return prefix
  }

  /// Prefixes that begin with `xml` are reserved (Namespaces in XML 1.0 §3).
  static func isUsable(prefix: String) -> Bool {
    !prefix.hasPrefix("xml") && XMLCharacter.isNCName(prefix)
  }

  private mutating func append(_ tag: Tag) {
    if let prefix = tag.prefix {
      appendRaw(prefix)
      out.append(UInt8(ascii: ":"))
    }
    appendRaw(tag.local)
  }

  private mutating func writeAttributes(_ attributes: [XMLAttribute]) {
    var generated = 0
    for (index, attribute) in attributes.enumerated() {
      let name = attribute.name
      guard XMLCharacter.isNCName(name.local) else { continue }
      if name.namespace == XMLNamespace.xmlns || (name.namespace.isEmpty && name.local == "xmlns") { continue }
      // Few attributes: a search through those before is cheaper than a set.
      if attributes[..<index].contains(where: { $0.name == name }) { continue }

      out.append(UInt8(ascii: " "))
      if !name.namespace.isEmpty {
        if let prefix = prefix(for: name.namespace) {
          appendRaw(prefix)
        } else {
          let prefix = freshPrefix(&generated)
          appendRaw("xmlns:")
          appendRaw(prefix)
          appendRaw("='")
          appendAttributeValue(name.namespace)
          appendRaw("' ")
          appendRaw(prefix)
        }
        out.append(UInt8(ascii: ":"))
      }
      appendRaw(name.local)
      appendRaw("='")
      appendAttributeValue(attribute.value)
      out.append(UInt8(ascii: "'"))
    }
  }

  /// A prefix that the stream header does not use.
  private func freshPrefix(_ generated: inout Int) -> String {
    while true {
      let prefix = "ns\(generated)"
      generated += 1
      if !prefixes.values.contains(prefix) { return prefix }
    }
  }
}

extension XMLWriter {
  private mutating func appendRaw(_ text: String) { Self.append(text, to: &out) }

  private mutating func appendRaw(_ text: StaticString) {
    unsafe out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  static func append(_ text: String, to out: inout [UInt8]) {
    var text = text
    text.withUTF8 { bytes in unsafe out.append(contentsOf: bytes) }
  }

  private mutating func appendText(_ text: String) { Self.appendEscaped(text, attribute: false, into: &out) }

  private mutating func appendAttributeValue(_ text: String) { Self.appendEscaped(text, attribute: true, into: &out) }

  /// Runs of harmless bytes are copied at once; `>` is always escaped, so `]]>` cannot appear.
  static func appendEscaped(_ text: String, attribute: Bool, into out: inout [UInt8]) {
    var text = text
    text.withUTF8 { bytes in
      var run = 0
      var index = 0
      while index < bytes.count {
        let byte = unsafe bytes[index]
        // Everything that may need care is below 0x40 or 0xEF.
        guard byte < 0x40 || byte == 0xEF, let replacement = unsafe escape(bytes, index, attribute) else {
          index += 1
          continue
        }
        unsafe out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[run..<index]))
        append(replacement, to: &out)
        index += byte == 0xEF ? 3 : 1
        run = index
      }
      unsafe out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[run...]))
    }
  }

  private static func escape(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int, _ attribute: Bool) -> String? {
    switch unsafe bytes[index] {
    case UInt8(ascii: "&"): "&amp;"
    case UInt8(ascii: "<"): "&lt;"
    case UInt8(ascii: ">"): "&gt;"
    case UInt8(ascii: "'"): attribute ? "&apos;" : nil
    case UInt8(ascii: "\""): attribute ? "&quot;" : nil
    // A parser turns a bare CR into LF (XML 1.0 §2.11), and TAB and LF in an attribute into a space (§3.3.3).
    case 0xD: "&#13;"
    case 0xA: attribute ? "&#10;" : nil
    case 0x9: attribute ? "&#9;" : nil
    case 0x0...0x1F: "\u{FFFD}"
    case 0xEF: unsafe XMLCharacter.isNoncharacter(bytes, at: index) ? "\u{FFFD}" : nil
    default: nil
    }
  }
}
