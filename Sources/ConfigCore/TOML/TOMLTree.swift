internal import CTOML

/// Owns one text as toml++ parsed it, or the parser's complaint about it.
@safe
struct TOMLTree: ~Copyable {
  private let document: UnsafePointer<CTOMLDocument>

  /// - Returns: `nil` when there is no memory.
  init?(_ bytes: [UInt8]) {
    let parsed = unsafe bytes.withUnsafeBufferPointer { unsafe ctoml_parse($0.baseAddress, $0.count) }
    guard let document = unsafe parsed else { return nil }
    unsafe self.document = document
  }

  deinit { unsafe ctoml_free(document) }

  /// The members of the root table and their places, copied.
  func root() throws(ConfigurationProblem) -> (members: [String: Node], places: [String: Place]) {
    let nodes = unsafe UnsafeBufferPointer(start: document.pointee.nodes, count: document.pointee.count)
    guard let root = unsafe nodes.first else {
      throw ConfigurationProblem(
        line: unsafe Int(document.pointee.error_position.line), path: "",
        problem: unsafe Self.firstLine(String(decoding: Self.bytes(document.pointee.error), as: UTF8.self)),
        fix: "write valid TOML, see https://toml.io")
    }
    return unsafe try Self.members(of: root, nodes)
  }

  /// Recursion ends at `CTOML_MAXIMUM_DEPTH`.
  private static func value(
    of node: CTOMLNode, line: UInt32, _ nodes: UnsafeBufferPointer<CTOMLNode>
  ) throws(ConfigurationProblem) -> (node: Node, place: Place) {
    var place = Place(line: Int(line))
    switch unsafe node.kind {
    case .table:
      let members: [String: Node]
      (members, place.members) = unsafe try Self.members(of: node, nodes)
      return (.table(members), place)
    case .array:
      var elements: [Node] = []
      for index in unsafe children(of: node) {
        let element = unsafe nodes[index]
        let (value, inside) = unsafe try value(of: element, line: element.position.line, nodes)
        elements.append(value)
        place.elements.append(inside)
      }
      return (.array(elements), place)
    case .string: return (.string(unsafe try text(node.text, line: line)), place)
    case .integer: return (.integer(unsafe Int(node.integer)), place)
    case .boolean: return (.boolean(unsafe node.boolean), place)
    case .float: return (.other("a number with a fraction"), place)
    case .date: return (.other("a date"), place)
    case .time: return (.other("a time"), place)
    case .dateTime: return (.other("a date and time"), place)
    }
  }

  private static func members(
    of table: CTOMLNode, _ nodes: UnsafeBufferPointer<CTOMLNode>
  ) throws(ConfigurationProblem) -> (members: [String: Node], places: [String: Place]) {
    var members: [String: Node] = [:]
    var places: [String: Place] = [:]
    for index in unsafe children(of: table) {
      let member = unsafe nodes[index]
      let line = unsafe member.key_position.line
      let key = unsafe try text(member.key, line: line)
      (members[key], places[key]) = unsafe try value(of: member, line: line, nodes)
    }
    return (members, places)
  }

  private static func children(of node: CTOMLNode) -> Range<Int> {
    unsafe node.first..<node.first + node.count
  }

  /// No option has a use for U+0000, and what reads C strings (paths, names) would end there.
  private static func text(_ text: CTOMLText, line: UInt32) throws(ConfigurationProblem) -> String {
    let bytes = unsafe bytes(text)
    if unsafe bytes.contains(0) {
      throw ConfigurationProblem(
        line: Int(line), path: "", problem: "a text holds a NUL character", fix: "remove \\u0000")
    }
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  private static func bytes(_ text: CTOMLText) -> UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: text.bytes, count: text.count)
  }

  private static func firstLine(_ text: String) -> String {
    String(text.prefix { !$0.isNewline })
  }
}
