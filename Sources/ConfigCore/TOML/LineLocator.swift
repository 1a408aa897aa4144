/// Finds the line of every key and list element in a text that the TOML parser has accepted: TOMLKit gives positions
/// of syntax errors only. Reads valid TOML; on anything else it may miss lines, and it always ends.
struct LineLocator {
  /// Paths as in `ConfigurationProblem.path`, keys unquoted: `queue`, `queue.time-to-live`, `partner[2].tls`.
  private(set) var lines: [String: Int] = [:]
  /// Of the first text with an escaped NUL.
  private(set) var lineOfNUL: Int?

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  /// How many `[[name]]` there were so far.
  private var counts: [String: Int] = [:]

  /// Nesting that the parser allows is limited by itself (256); this bounds our own recursion all the same.
  private static let maximumDepth = 300

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    scan()
  }

  private mutating func scan() {
    var table = ""
    while skipBlank(), let byte = peek {
      if byte == UInt8(ascii: "[") {
        table = header()
        skipLine()
      } else {
        member(of: table, depth: 0)
      }
    }
  }

  // MARK: headers and keys

  private mutating func header() -> String {
    advance()
    let repeated = peek == UInt8(ascii: "[")
    if repeated { advance() }
    let keys = dottedKey()
    var path = ""
    for (index, key) in keys.enumerated() {
      path = join(path, key)
      if repeated && index == keys.count - 1 {
        counts[path, default: 0] += 1
        note(path)
      }
      if let count = counts[path] { path += "[\(count)]" }
    }
    note(path)
    return path
  }

  /// `a.b = value`, in a section or in an inline table.
  private mutating func member(of table: String, depth: Int) {
    let before = position
    var path = table
    for key in dottedKey() {
      path = join(path, key)
      note(path)
    }
    skipSpace()
    if peek == UInt8(ascii: "=") {
      advance()
      value(at: path, depth: depth)
    }
    if position == before { advance() }
  }

  private mutating func dottedKey() -> [String] {
    var keys: [String] = []
    while true {
      skipSpace()
      keys.append(simpleKey())
      skipSpace()
      guard peek == UInt8(ascii: ".") else { return keys }
      advance()
    }
  }

  private mutating func simpleKey() -> String {
    if let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      let start = position + 1
      string(quote)
      return String(decoding: bytes[min(start, position)..<max(start, position - 1)], as: UTF8.self)
    }
    let start = position
    while let byte = peek, Self.isBareKey(byte) { advance() }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  // MARK: values

  private mutating func value(at path: String, depth: Int) {
    skipBlank()
    switch peek {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      if let quote = peek { string(quote) }
    case UInt8(ascii: "[") where depth < Self.maximumDepth: list(at: path, depth: depth + 1)
    case UInt8(ascii: "{") where depth < Self.maximumDepth: inlineTable(at: path, depth: depth + 1)
    default:
      while let byte = peek, !Self.endsScalar(byte) { advance() }
    }
  }

  private mutating func list(at path: String, depth: Int) {
    advance()
    var count = 0
    while skipBlank(), let byte = peek, byte != UInt8(ascii: "]") {
      if byte == UInt8(ascii: ",") {
        advance()
        continue
      }
      count += 1
      let element = "\(path)[\(count)]"
      note(element)
      let before = position
      value(at: element, depth: depth)
      if position == before { advance() }
    }
    advance()
  }

  private mutating func inlineTable(at path: String, depth: Int) {
    advance()
    while skipBlank(), let byte = peek, byte != UInt8(ascii: "}") {
      if byte == UInt8(ascii: ",") {
        advance()
      } else {
        member(of: path, depth: depth)
      }
    }
    advance()
  }

  /// A text in one or three quotes; `quote` is `"` (with escapes) or `'` (without).
  private mutating func string(_ quote: UInt8) {
    let escapes = quote == UInt8(ascii: "\"")
    let long = peek(at: 1) == quote && peek(at: 2) == quote
    let marks = long ? 3 : 1
    for _ in 0..<marks { advance() }
    while let byte = peek {
      if escapes && byte == UInt8(ascii: "\\") {
        noteNUL()
        advance()
        advance()
      } else if byte == quote && (!long || (peek(at: 1) == quote && peek(at: 2) == quote)) {
        for _ in 0..<marks { advance() }
        // Up to two more quotes belong to the text: """a"""" (TOML 1.0, multi-line strings).
        while long, peek == quote { advance() }
        return
      } else {
        advance()
      }
    }
  }

  private mutating func noteNUL() {
    for escape in [Array("\\u0000".utf8), Array("\\U00000000".utf8)]
    where lineOfNUL == nil && bytes[position...].starts(with: escape) {
      lineOfNUL = line
    }
  }

  // MARK: characters

  private var peek: UInt8? { peek(at: 0) }

  private func peek(at offset: Int) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  private mutating func advance() {
    guard position < bytes.count else { return }
    if bytes[position] == 0x0A { line += 1 }
    position += 1
  }

  private mutating func skipSpace() {
    while peek == 0x20 || peek == 0x09 { advance() }
  }

  private mutating func skipLine() {
    while let byte = peek, byte != 0x0A { advance() }
  }

  /// Spaces, line ends and comments. Always true, so that loops may begin with it.
  @discardableResult
  private mutating func skipBlank() -> Bool {
    while let byte = peek {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: advance()
      case UInt8(ascii: "#"): skipLine()
      default: return true
      }
    }
    return true
  }

  private mutating func note(_ path: String) {
    if lines[path] == nil { lines[path] = line }
  }

  private func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private static func isBareKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func endsScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), 0x0A: true
    default: false
    }
  }
}
