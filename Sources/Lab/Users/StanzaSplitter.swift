/// Cuts an XMPP stream into its stream header and whole stanzas by counting tags; what a stanza holds is for the XML
/// parser. Enough for servers that send neither comments nor CDATA.
struct StanzaSplitter {
  enum Piece {
    /// `<stream:stream …>`, as written.
    case header([UInt8])
    case stanza([UInt8])
    /// `</stream:stream>`
    case end
  }

  private var buffer: [UInt8] = []
  /// How far `buffer` has been looked at, and what was seen.
  private var index = 0
  private var start = 0
  private var depth = 0
  private var tagStart: Int?
  private var quote: UInt8?

  mutating func append(_ bytes: [UInt8]) -> [Piece] {
    buffer += bytes
    var pieces: [Piece] = []
    while index < buffer.count {
      let byte = buffer[index]
      index += 1
      guard let tag = tagStart else {
        if byte == UInt8(ascii: "<") {
          tagStart = index - 1
          if depth <= 1 { start = index - 1 }
        }
        continue
      }
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        tagStart = nil
        if let piece = close(tag: tag) { pieces.append(piece) }
      }
    }
    if depth <= 1 && tagStart == nil { dropConsumed() }
    return pieces
  }

  private mutating func close(tag: Int) -> Piece? {
    let second = buffer[tag + 1]
    if second == UInt8(ascii: "?") { return nil }
    if second == UInt8(ascii: "/") {
      depth -= 1
      if depth == 0 { return .end }
      return depth == 1 ? .stanza(Array(buffer[start..<index])) : nil
    }
    let isEmpty = buffer[index - 2] == UInt8(ascii: "/")
    if depth == 0 {
      depth = 1
      return .header(Array(buffer[tag..<index]))
    }
    if !isEmpty {
      depth += 1
      return nil
    }
    return depth == 1 ? .stanza(Array(buffer[start..<index])) : nil
  }

  private mutating func dropConsumed() {
    buffer.removeFirst(index)
    index = 0
  }
}
