/// Reads a message from its start line to the empty line. Values are only found here, not understood: that is left to
/// whoever asks for one.
enum HeadParser {
  enum StartLine {
    case request(Method, uri: String)
    case status(Int, reason: String)
  }

  struct Head {
    var startLine: StartLine
    var headers: SIPHeaders
    /// The first line that could not be read, if any. The others are there, so that a request can still be answered.
    var defect: SIPDefect?
  }

  /// `text` is the head with the CRLF of its last line and without the empty line. A start line that cannot be read
  /// leaves nothing to answer.
  static func parse(_ text: consuming [UInt8], limits: SIPLimits) throws(SIPDefect) -> Head {
    var text = text
    var fields: [SIPHeaders.Field] = []
    fields.reserveCapacity(16)
    var defect: SIPDefect?
    guard let startEnd = endOfLine(text, from: 0) else { throw SIPDefect("Malformed start line") }
    guard startEnd <= limits.startLine else { throw SIPDefect(414, "Start line too long") }
    var startLine = try parseStartLine(text[0..<startEnd], defect: &defect)

    var lineStart = startEnd + 2
    while lineStart < text.count {
      guard let end = endOfLine(text, from: lineStart) else {
        // A bare CR or LF: no two parsers agree where this line ends.
        throw SIPDefect("Bare CR or LF in header")
      }
      defer { lineStart = end + 2 }
      if ASCII.isBlank(text[lineStart]) {
        guard let last = fields.indices.last else {
          defect = defect ?? SIPDefect("Folded line before the first header")
          continue
        }
        // RFC 3261 §7.3.1: a fold reads as one space. Two do as well, and keep the ranges.
        text[lineStart - 2] = ASCII.space
        text[lineStart - 1] = ASCII.space
        fields[last].valueEnd = Int32(trimEnd(text, from: Int(fields[last].valueStart), to: end))
        continue
      }
      guard fields.count < limits.headerCount else { throw SIPDefect(413, "Too many header fields") }
      if let field = parseField(text, from: lineStart, to: end) {
        fields.append(field)
      } else {
        defect = defect ?? SIPDefect("Malformed header line")
      }
    }
    // An empty first line of a folded value leaves its start at the fold.
    for index in fields.indices {
      var start = Int(fields[index].valueStart)
      let end = Int(fields[index].valueEnd)
      while start < end, ASCII.isBlank(text[start]) { start += 1 }
      fields[index].valueStart = Int32(start)
    }
    if case .request(let method, let uri) = startLine, uri.isEmpty { startLine = .request(method, uri: "sip:invalid") }
    return Head(startLine: startLine, headers: SIPHeaders(text: text, fields: fields), defect: defect)
  }

  /// The index of the CR that ends the line; `nil` where another CR or LF comes first.
  private static func endOfLine(_ text: [UInt8], from start: Int) -> Int? {
    var index = start
    while index < text.count {
      let byte = text[index]
      if byte == ASCII.cr { return index + 1 < text.count && text[index + 1] == ASCII.lf ? index : nil }
      if byte == ASCII.lf { return nil }
      index += 1
    }
    return nil
  }

  private static func trimEnd(_ text: [UInt8], from start: Int, to end: Int) -> Int {
    var end = end
    while end > start, ASCII.isBlank(text[end - 1]) { end -= 1 }
    return end
  }

  private static func parseField(_ text: [UInt8], from start: Int, to end: Int) -> SIPHeaders.Field? {
    var index = start
    while index < end, ASCII.isToken(text[index]) { index += 1 }
    let nameEnd = index
    guard nameEnd > start else { return nil }
    // HCOLON = *( SP / HTAB ) ":" SWS
    while index < end, ASCII.isBlank(text[index]) { index += 1 }
    guard index < end, text[index] == ASCII.colon else { return nil }
    index += 1
    while index < end, ASCII.isBlank(text[index]) { index += 1 }
    return SIPHeaders.Field(
      name: HeaderName(parsing: text[start..<nameEnd]), nameStart: Int32(start), nameEnd: Int32(nameEnd),
      valueStart: Int32(index), valueEnd: Int32(trimEnd(text, from: index, to: end)))
  }

  /// `Method SP Request-URI SP SIP-Version` or `SIP-Version SP Status-Code SP Reason-Phrase` (RFC 3261 §7.1, §7.2).
  private static func parseStartLine(_ line: ArraySlice<UInt8>, defect: inout SIPDefect?) throws(SIPDefect)
    -> StartLine
  {
    guard let firstSpace = line.firstIndex(of: ASCII.space) else { throw SIPDefect("Malformed start line") }
    let first = line[..<firstSpace]
    let rest = line[(firstSpace + 1)...]
    if ASCII.equalsIgnoringCase(first, "SIP/2.0") {
      let digits = rest.prefix(3)
      guard digits.count == 3, let status: Int = ASCII.number(digits), 100...699 ~= status else {
        throw SIPDefect("Malformed status line")
      }
      let phrase = rest.dropFirst(3)
      guard phrase.isEmpty || phrase.first == ASCII.space else { throw SIPDefect("Malformed status line") }
      return .status(status, reason: String(header: phrase.dropFirst()))
    }
    guard let method = Method(parsing: first) else { throw SIPDefect("Malformed start line") }
    guard let lastSpace = rest.lastIndex(of: ASCII.space) else { throw SIPDefect("Malformed start line") }
    let uri = rest[..<lastSpace]
    let version = rest[(lastSpace + 1)...]
    if !ASCII.equalsIgnoringCase(version, "SIP/2.0") {
      defect =
        isVersion(version) ? SIPDefect(505, "Version Not Supported") : SIPDefect("Malformed request line")
    } else if uri.isEmpty || !uri.allSatisfy(isURIByte) {
      defect = SIPDefect("Malformed Request-URI")
    }
    return .request(method, uri: uri.allSatisfy(isURIByte) ? String(header: uri) : "")
  }

  private static func isVersion(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count > 4 && ASCII.equalsIgnoringCase(bytes.prefix(4), "SIP/")
  }

  private static func isURIByte(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != ASCII.less && byte != ASCII.greater && byte != ASCII.quote
  }
}
