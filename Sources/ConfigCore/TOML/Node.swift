import TOMLKit

/// A value of a TOML document, copied out of the parser's own tree.
enum Node: Sendable {
  case boolean(Bool)
  case integer(Int)
  case string(String)
  case array([Node])
  case table([String: Node])
  /// A type that no option has: floats, dates, times.
  case other(String)

  var typeName: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "a number"
    case .string: "a text in quotes"
    case .array: "a list"
    case .table: "a section"
    case .other(let name): name
    }
  }

  fileprivate init(_ value: any TOMLValueConvertible) {
    switch value.type {
    case .table: self = .table(value.table.map(Self.members) ?? [:])
    case .array: self = .array(value.array.map { array in array.map { Node($0) } } ?? [])
    case .string: self = .string(value.string ?? "")
    case .int: self = .integer(value.int ?? 0)
    case .bool: self = .boolean(value.bool ?? false)
    case .double: self = .other("a number with a fraction")
    case .date: self = .other("a date")
    case .time: self = .other("a time")
    case .dateTime: self = .other("a date and time")
    }
  }

  fileprivate static func members(of table: TOMLTable) -> [String: Node] {
    var members: [String: Node] = [:]
    for key in table.keys { members[key] = table[key].map { Node($0) } }
    return members
  }
}

/// A parsed file: its values and the line of each.
struct Document {
  /// A configuration is some kilobytes; whatever is larger is another file.
  static let maximumSize = 1 << 20

  var root: [String: Node]
  private var locator: LineLocator

  init(_ bytes: [UInt8]) throws(ConfigurationProblem) {
    guard bytes.count <= Self.maximumSize else {
      throw ConfigurationProblem(
        line: nil, path: "", problem: "the file has \(bytes.count) bytes", fix: "give a file of 1 MiB at most")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationProblem(
        line: Self.lineOfInvalidText(bytes), path: "", problem: "the file is not UTF-8 text",
        fix: "save it in the encoding UTF-8")
    }
    // The parser takes the text as a C string: it would silently end here.
    if let end = bytes.firstIndex(of: 0) {
      throw ConfigurationProblem(
        line: Self.line(of: end, in: bytes), path: "", problem: "the file holds a NUL character", fix: "remove it")
    }
    do {
      root = Node.members(of: try TOMLTable(string: text))
    } catch let error as TOMLParseError {
      throw ConfigurationProblem(
        line: error.source.begin.line, path: "", problem: Self.firstLine(error.description),
        fix: "write valid TOML, see https://toml.io")
    } catch {
      throw ConfigurationProblem(line: nil, path: "", problem: "\(error)", fix: "write valid TOML")
    }
    locator = LineLocator(bytes)
    // And it hands texts out as C strings, which end at an escaped NUL.
    if let line = locator.lineOfNUL {
      throw ConfigurationProblem(
        line: line, path: "", problem: "a text holds a NUL character", fix: "remove \\u0000")
    }
  }

  /// The line of `section`, `section.key`, `section[2].key`, `section.key[1]`; of what holds it, if it is not there.
  func line(of path: String) -> Int? {
    var path = path[...]
    while true {
      if let line = locator.lines[String(path)] { return line }
      guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
      path = path[..<end]
    }
  }

  private static func firstLine(_ text: String) -> String {
    String(text.prefix { !$0.isNewline })
  }

  private static func line(of index: Int, in bytes: [UInt8]) -> Int {
    bytes[..<index].count { $0 == 0x0A } + 1
  }

  private static func lineOfInvalidText(_ bytes: [UInt8]) -> Int? {
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    return lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }.map { $0 + 1 }
  }
}
