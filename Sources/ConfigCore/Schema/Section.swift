/// `[name]`, or `[[name]]` where there may be several: its options, with the type of its values erased.
struct Section: Sendable {
  let name: String
  let isRepeated: Bool
  let help: String
  let options: [OptionInfo]
  /// Reads the section's value in the document into the configuration.
  let decode: @Sendable (Node, inout Decoding, inout Configuration) -> Void
  /// One dictionary, option name → TOML, for each occurrence.
  let render: @Sendable (Configuration) -> [[String: String]]

  /// How the file has it.
  var header: String { isRepeated ? "[[\(name)]]" : "[\(name)]" }

  static func single<Root: Settings>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Root> & Sendable, _ help: String
  ) -> Section {
    Section(name: name, isRepeated: false, help: help, options: Root.options.map { $0.info(section: name) }) {
      node, decoding, configuration in
      guard case .table(let members) = node else {
        return decoding.complain(
          name, problem: "\(name) is one section, not \(node.typeName)", fix: "write [\(name)], once")
      }
      configuration[keyPath: path] = decoding.section(members, name: name, path: name)
    } render: { configuration in
      [rendered(configuration[keyPath: path])]
    }
  }

  static func repeated<Root: Settings>(
    _ name: String, _ path: any WritableKeyPath<Configuration, [Root]> & Sendable, _ help: String
  ) -> Section {
    Section(name: name, isRepeated: true, help: help, options: Root.options.map { $0.info(section: name) }) {
      node, decoding, configuration in
      guard case .array(let nodes) = node else {
        return decoding.complain(name, problem: "there may be several \(name) sections", fix: "write [[\(name)]]")
      }
      for (index, node) in nodes.enumerated() {
        let place = "\(name)[\(index + 1)]"
        guard case .table(let members) = node else {
          decoding.complain(place, problem: "this is \(node.typeName), not a section", fix: "write [[\(name)]]")
          continue
        }
        configuration[keyPath: path].append(decoding.section(members, name: name, path: place))
      }
    } render: { configuration in
      configuration[keyPath: path].map(rendered)
    }
  }

  private static func rendered<Root: Settings>(_ root: Root) -> [String: String] {
    var values: [String: String] = [:]
    for option in Root.options { values[option.name] = option.render(root) }
    return values
  }
}
