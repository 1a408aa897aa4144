/// What everybody may know about an option: for help, completion, the reference.
package struct OptionInfo: Sendable, Hashable {
  /// What it takes for a changed value to be used.
  package enum Effect: String, Sendable {
    /// Used at once.
    case live
    /// Used for connections made from then on.
    case reconnect
    /// Used after a restart.
    case restart
  }

  package var section: String
  package var name: String
  /// `a duration from 1s to 30d`
  package var type: String
  /// As TOML; nil where the option has none: it is required, or may be left out.
  package var defaultValue: String?
  package var isRequired: Bool
  /// As TOML, for options without a default.
  package var example: String?
  package var help: String
  /// Never shown, logged or exported.
  package var isSecret: Bool
  package var effect: Effect
  /// The release that brought it.
  package var since: String

  package var path: String { "\(section).\(name)" }

  /// A value of the option, as TOML, as it may be shown.
  package func shown(_ value: String) -> String { isSecret ? "\"***\"" : value }
}

/// A section's values. What a new value holds are the defaults: they stand nowhere else.
protocol Settings: Sendable, Equatable {
  static var options: [Option<Self>] { get }
  init()
}

/// The declaration of one option: everything else is derived from it.
struct Option<Root: Settings>: Sendable {
  let name: String
  let type: String
  let isRequired: Bool
  let example: String?
  let help: String
  let isSecret: Bool
  let effect: OptionInfo.Effect
  let since: String
  let assign: @Sendable (Node, inout Root) throws(Complaint) -> Void
  /// As TOML; nil for an optional value that is not there.
  let render: @Sendable (Root) -> String?
  let files: @Sendable (Root) -> [FileReference]

  init<Value>(
    _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ type: ValueType<Value>,
    required: Bool = false, example: String? = nil, secret: Bool = false, effect: OptionInfo.Effect = .restart,
    since: String = "0.1", _ help: String
  ) {
    self.name = name
    self.type = type.name
    isRequired = required
    self.example = example
    self.help = help
    isSecret = secret
    self.effect = effect
    self.since = since
    assign = { (node, root) throws(Complaint) in root[keyPath: path] = try type.parse(node) }
    render = { root in type.render(root[keyPath: path]) }
    files = { root in type.files(root[keyPath: path]) }
  }

  func info(section: String) -> OptionInfo {
    OptionInfo(
      section: section, name: name, type: type, defaultValue: isRequired ? nil : render(Root()),
      isRequired: isRequired, example: example, help: help, isSecret: isSecret, effect: effect, since: since)
  }
}
