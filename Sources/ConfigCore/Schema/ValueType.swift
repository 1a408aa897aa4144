/// The type of an option's value: how it is read, written and described.
struct ValueType<Value: Sendable>: Sendable {
  /// For people: `a duration from 1s to 30d`.
  var name: String
  var parse: @Sendable (Node) throws(Complaint) -> Value
  /// As TOML; nil for a value that is written by leaving it out.
  var render: @Sendable (Value) -> String?
  /// The files the value names.
  var files: @Sendable (Value) -> [FileReference] = { _ in [] }
}

/// A file that a configuration names. Whether it is there is for somebody else to find out.
package struct FileReference: Sendable, Hashable {
  package enum Kind: String, Sendable {
    case certificate
    case key
    case authorities = "certificate authorities"
  }
  package var kind: Kind
  package var path: String
}

extension ValueType where Value == Bool {
  static var boolean: Self {
    Self(name: "true or false") { (node) throws(Complaint) in
      guard case .boolean(let value) = node else {
        throw .wrongType(node, wanted: "true or false", fix: "write true or false, without quotes")
      }
      return value
    } render: {
      "\($0)"
    }
  }
}

extension ValueType where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> Self {
    let name = "a number from \(range.lowerBound) to \(range.upperBound)"
    return Self(name: name) { (node) throws(Complaint) in
      guard case .integer(let value) = node else {
        throw .wrongType(node, wanted: name, fix: "write \(name), without quotes")
      }
      guard range.contains(value) else { throw .outOfRange("\(value)", name) }
      return value
    } render: {
      "\($0)"
    }
  }

  /// RFC 6335 §6
  static var port: Self { integer(1...65535) }
}

extension ValueType where Value == String {
  /// A text that `check` accepts and may put into its canonical form.
  static func text(
    _ name: String, fix: String, _ check: @escaping @Sendable (String) -> String?
  ) -> Self {
    Self(name: name) { (node) throws(Complaint) in
      guard case .string(let text) = node else { throw .wrongType(node, wanted: name, fix: fix) }
      guard let value = check(text) else { throw Complaint(problem: "\"\(text)\" is not \(name)", fix: fix) }
      return value
    } render: {
      quoted($0)
    }
  }

  static var directory: Self {
    text("the path of a directory", fix: "write the whole path, from / on") { $0.hasPrefix("/") ? $0 : nil }
  }

  static func file(_ kind: FileReference.Kind) -> Self {
    var type = text("the path of a file", fix: "write the whole path, from / on") { $0.hasPrefix("/") ? $0 : nil }
    type.files = { $0.isEmpty ? [] : [FileReference(kind: kind, path: $0)] }
    return type
  }
}

extension ValueType {
  /// One of the raw values of an enumeration.
  static func choice() -> Self where Value: RawRepresentable<String> & CaseIterable {
    let words = Value.allCases.map { quoted($0.rawValue) }
    let name = words.count == 1 ? words[0] : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
    return Self(name: name) { (node) throws(Complaint) in
      guard case .string(let text) = node else { throw .wrongType(node, wanted: name, fix: "write \(name)") }
      if let value = Value(rawValue: text) { return value }
      let near = Suggestion.nearest(to: text, among: Value.allCases.map(\.rawValue))
      throw Complaint(
        problem: "\(quoted(text)) is not \(name)",
        fix: near.map { "did you mean \(quoted($0))?" } ?? "write \(name)")
    } render: {
      quoted($0.rawValue)
    }
  }

  static func optional<Wrapped>(_ type: ValueType<Wrapped>) -> Self where Value == Wrapped? {
    Self(name: type.name) { (node) throws(Complaint) in
      try type.parse(node)
    } render: {
      $0.flatMap(type.render)
    } files: {
      $0.map(type.files) ?? []
    }
  }

  static func list<Element>(of type: ValueType<Element>, minimum: Int = 0) -> Self where Value == [Element] {
    let name = "a list, each \(type.name)"
    return Self(name: name) { (node) throws(Complaint) in
      guard case .array(let nodes) = node else {
        throw .wrongType(node, wanted: name, fix: "write a list: [ … ]")
      }
      guard nodes.count >= minimum else {
        throw Complaint(problem: "the list is empty", fix: "name \(minimum) at least")
      }
      var values: [Element] = []
      for (index, node) in nodes.enumerated() {
        do throws(Complaint) {
          values.append(try type.parse(node))
        } catch {
          throw Complaint(problem: error.problem, fix: error.fix, element: index + 1)
        }
      }
      return values
    } render: {
      "[" + $0.compactMap(type.render).joined(separator: ", ") + "]"
    } files: {
      $0.flatMap(type.files)
    }
  }
}

extension Complaint {
  static func wrongType(_ node: Node, wanted: String, fix: String) -> Complaint {
    Complaint(problem: "this is \(node.typeName), not \(wanted)", fix: fix)
  }

  static func outOfRange(_ value: String, _ wanted: String) -> Complaint {
    Complaint(problem: "\(value) is out of range", fix: "write \(wanted)")
  }
}

/// A TOML basic string.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case "\u{0}"..."\u{1F}", "\u{7F}":
      let digits = String(scalar.value, radix: 16, uppercase: true)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
