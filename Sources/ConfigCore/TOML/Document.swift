/// A parsed file: its values and the line of each.
struct Document {
  /// A configuration is some kilobytes; whatever is larger is another file.
  static let maximumSize = 1 << 20

  var root: [String: Node]
  private let places: Place

  init(_ bytes: [UInt8]) throws(ConfigurationProblem) {
    guard bytes.count <= Self.maximumSize else {
      throw ConfigurationProblem(
        line: nil, path: "", problem: "the file has \(bytes.count) bytes", fix: "give a file of 1 MiB at most")
    }
    if let line = Self.lineOfInvalidText(bytes) {
      throw ConfigurationProblem(
        line: line, path: "", problem: "the file is not UTF-8 text", fix: "save it in the encoding UTF-8")
    }
    if let end = bytes.firstIndex(of: 0) {
      throw ConfigurationProblem(
        line: Self.line(of: end, in: bytes), path: "", problem: "the file holds a NUL character", fix: "remove it")
    }
    guard let tree = TOMLTree(bytes) else {
      throw ConfigurationProblem(
        line: nil, path: "", problem: "there is no memory to read the file", fix: "give a smaller file")
    }
    let (members, places) = try tree.root()
    root = members
    self.places = Place(line: 1, members: places)
  }

  /// The line of `section`, `section.key`, `section[2].key`, `section.key[1]`; of what holds it, if it is not there.
  func line(of path: String) -> Int? {
    var (line, place, rest): (Int?, Place, Substring) = (nil, places, path[...])
    while !rest.isEmpty, let next = place.step(rest) {
      (line, place, rest) = (next.place.line, next.place, next.rest)
    }
    return line
  }

  private static func line(of index: Int, in bytes: [UInt8]) -> Int {
    bytes[..<index].count { $0 == 0x0A } + 1
  }

  private static func lineOfInvalidText(_ bytes: [UInt8]) -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    return lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }.map { $0 + 1 }
  }
}
