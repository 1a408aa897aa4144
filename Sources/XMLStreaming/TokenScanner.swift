/// Finds where tags and references end, ahead of Expat.
///
/// Expat reads a token only when it has all of it, and starts over at its beginning each time more bytes come: a long
/// tag that arrives in small pieces costs quadratic time, or, with Expat's own remedy (reparse deferral), stays
/// unread for an unknown time although it is complete. So only whole tokens are handed on. Each byte is looked at
/// once, the length of a token is bounded before anything is kept, and what RFC 6120 §11.1 forbids is refused at the
/// byte that shows it. Character data is not held: Expat reports it as it comes.
struct TokenScanner {
  private enum State {
    /// In front of the document, or between the XML declaration and the root.
    case prolog(declared: Bool)
    case characterData
    /// After `&`.
    case reference
    /// After `<`.
    case markup
    /// After the very first `<`: the XML declaration may follow.
    case opening
    /// In a start or end tag, outside quotes.
    case tag
    /// In an attribute value; the byte that ends it.
    case quoted(UInt8)
    /// After `<?` at the very beginning.
    case declaration
    /// In `<![CDATA[`: how many of its bytes were seen.
    case section(Int)
    /// In the character data of a CDATA section: how many `]` were seen in a row (at most 2).
    case cdata(Int)
  }

  private var state = State.prolog(declared: false)
  /// Bytes of the unfinished token that came before the current call.
  private(set) var heldBytes = 0

  struct Outcome {
    /// Bytes before this index are white space in front of the document: nobody needs them.
    var skipped = 0
    /// Where the token ends that was held before. 0: it does not end here, or none was held.
    var firstEnd = 0
    /// Everything before this index is whole tokens, together with what was held before.
    var complete = 0
    /// What is wrong behind `complete`, and the index behind the byte that shows it.
    var error: (reason: XMLStreamError, index: Int)?
  }

  /// The longest reference that is let through: `&#x10FFFF;` with room for leading zeros.
  private static let referenceBytes = 32
  private static let sectionStart = Array("<![CDATA[".utf8)

  mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>, tokenLimit: Int) -> Outcome {
    var outcome = Outcome()
    var index = 0
    do throws(XMLStreamError) {
      while index < bytes.count { try unsafe step(bytes, &index, &outcome, tokenLimit) }
      heldBytes += index - outcome.complete
      if heldBytes > tokenLimit { throw .limitExceeded(.tokenBytes, tokenLimit) }
    } catch {
      outcome.error = (error, index)
    }
    return outcome
  }

  /// Consumes at least one byte of `bytes`.
  private mutating func step(
    _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ outcome: inout Outcome, _ tokenLimit: Int
  ) throws(XMLStreamError) {
    let byte = unsafe bytes[index]
    switch state {
    case .characterData:
      unsafe skipCharacterData(bytes, &index)
      pass(index, &outcome)
      if index < bytes.count {
        state = unsafe bytes[index] == UInt8(ascii: "<") ? .markup : .reference
        index += 1
      }
    case .tag:
      while true {
        let byte = unsafe bytes[index]
        index += 1
        if byte == UInt8(ascii: ">") {
          try finish(index, &outcome, tokenLimit)
          state = .characterData
          return
        }
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
          state = .quoted(byte)
          return
        }
        if byte == UInt8(ascii: "<") { throw .notWellFormed("'<' inside a tag") }
        if index == bytes.count { return }
      }
    case .quoted(let quote):
      while true {
        let byte = unsafe bytes[index]
        index += 1
        if byte == quote {
          state = .tag
          return
        }
        // No `<` in attribute values: XML 1.0 §3.1.
        if byte == UInt8(ascii: "<") { throw .notWellFormed("'<' inside an attribute value") }
        if index == bytes.count { return }
      }
    case .markup:
      index += 1
      state = try afterOpening(byte)
    case .reference:
      index += 1
      if byte == UInt8(ascii: ";") {
        try finish(index, &outcome, tokenLimit)
        state = .characterData
      } else if byte == UInt8(ascii: "<") || byte == UInt8(ascii: "&") {
        throw .notWellFormed("a bare '&'")
      } else if heldBytes + index - outcome.complete > Self.referenceBytes {
        throw .restrictedXML("an entity reference")
      }
    case .section(let seen):
      index += 1
      guard byte == Self.sectionStart[seen] else { throw .restrictedXML("a declaration") }
      if seen + 1 < Self.sectionStart.count {
        state = .section(seen + 1)
      } else {
        try finish(index, &outcome, tokenLimit)
        state = .cdata(0)
      }
    case .cdata(let brackets):
      index += 1
      pass(index, &outcome)
      switch byte {
      case UInt8(ascii: "]"): state = .cdata(min(brackets + 1, 2))
      case UInt8(ascii: ">") where brackets == 2: state = .characterData
      default: state = .cdata(0)
      }
    case .declaration:
      index += 1
      if byte == UInt8(ascii: ">") {
        try finish(index, &outcome, tokenLimit)
        state = .prolog(declared: true)
      }
    case .prolog(let declared):
      index += 1
      try beforeRoot(byte, declared, index, &outcome)
    case .opening:
      index += 1
      state = byte == UInt8(ascii: "?") ? .declaration : try afterOpening(byte)
    }
  }

  private func skipCharacterData(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) {
    while index < bytes.count {
      let byte = unsafe bytes[index]
      if byte == UInt8(ascii: "<") || byte == UInt8(ascii: "&") { return }
      index += 1
    }
  }

  private mutating func finish(_ index: Int, _ outcome: inout Outcome, _ limit: Int) throws(XMLStreamError) {
    if heldBytes + index - outcome.complete > limit { throw .limitExceeded(.tokenBytes, limit) }
    pass(index, &outcome)
  }

  private mutating func pass(_ index: Int, _ outcome: inout Outcome) {
    if outcome.firstEnd == 0 { outcome.firstEnd = index }
    outcome.complete = index
    heldBytes = 0
  }

  /// White space in front is a keep-alive that the peer sent before it knew of a restart (RFC 6120 §4.6.1); the XML
  /// declaration may follow it.
  private mutating func beforeRoot(
    _ byte: UInt8, _ declared: Bool, _ index: Int, _ outcome: inout Outcome
  ) throws(XMLStreamError) {
    switch byte {
    case UInt8(ascii: "<"): state = declared ? .markup : .opening
    case 0x20, 0x9, 0xA, 0xD:
      if !declared { outcome.skipped = index }
      pass(index, &outcome)
    case 0xFE, 0xFF, 0x00:
      // A UTF-16 or UTF-32 byte order mark, or UTF-16 without one: refused before Expat could switch over to it.
      throw .unsupportedEncoding("not UTF-8")
    default: throw .notWellFormed("does not begin with a tag")
    }
  }

  private func afterOpening(_ byte: UInt8) throws(XMLStreamError) -> State {
    switch byte {
    case UInt8(ascii: "!"): return .section(2)
    case UInt8(ascii: "?"): throw .restrictedXML("a processing instruction")
    case 0x00: throw .unsupportedEncoding("not UTF-8")
    case UInt8(ascii: ">"), UInt8(ascii: "<"): throw .notWellFormed("an empty tag")
    default: return .tag
    }
  }
}
