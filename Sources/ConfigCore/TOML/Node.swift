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
}

/// Where a value stands, and the places of what it holds.
struct Place: Sendable {
  /// Of the key, or of the element of a list. Counted from 1.
  var line: Int
  var members: [String: Place] = [:]
  var elements: [Place] = []

  /// What the first step of a path leads to (`queue`, `key` or `[2]`), with the rest of the path behind it.
  func step(_ path: Substring) -> (place: Place, rest: Substring)? {
    if path.first == "[" {
      guard let end = path.firstIndex(of: "]"), let number = Int(path[path.index(after: path.startIndex)..<end]),
        elements.indices.contains(number - 1)
      else { return nil }
      return (elements[number - 1], Self.dropPeriod(path[path.index(after: end)...]))
    }
    // A quoted key may itself have periods and brackets: "a.b" = 1.
    if let place = members[String(path)] { return (place, path[path.endIndex...]) }
    let end = path.firstIndex { $0 == "." || $0 == "[" } ?? path.endIndex
    return members[String(path[..<end])].map { ($0, Self.dropPeriod(path[end...])) }
  }

  private static func dropPeriod(_ path: Substring) -> Substring { path.first == "." ? path.dropFirst() : path }
}
