/// Collects the problems of a file while its sections are read: the whole list at once, not one for each try.
struct Decoding {
  let document: Document
  private(set) var problems: [ConfigurationProblem] = []
  /// The files that were named, with the option that names them.
  private(set) var files: [(path: String, file: FileReference)] = []
  /// Options whose value could not be used: cross-checks leave them alone.
  private(set) var broken: Set<String> = []

  init(_ document: Document) { self.document = document }

  mutating func complain(
    _ path: String, problem: String, fix: String, severity: ConfigurationProblem.Severity = .error
  ) {
    if severity == .error { broken.insert(path) }
    problems.append(
      ConfigurationProblem(
        line: document.line(of: path), path: path, problem: problem, fix: fix, severity: severity))
  }

  /// The values of one section, its defaults where the file says nothing or nothing usable.
  mutating func section<Root: Settings>(_ members: [String: Node], name: String, path: String) -> Root {
    var root = Root()
    for option in Root.options {
      let place = "\(path).\(option.name)"
      if let node = members[option.name] {
        do throws(Complaint) {
          try option.assign(node, &root)
          for file in option.files(root) { files.append((place, file)) }
        } catch {
          let element = error.element.map { "[\($0)]" } ?? ""
          complain(place + element, problem: error.problem, fix: error.fix)
          broken.insert(place)
        }
      } else if option.isRequired {
        let example = option.example.map { ", like \(option.name) = \($0)" } ?? ""
        complain(place, problem: "this is required", fix: "add \(option.type)\(example)")
      }
    }
    let names = Root.options.map(\.name)
    for unknown in members.keys.sorted() where !names.contains(unknown) {
      let fix = Self.fix(unknown: unknown, section: name, names: names)
      complain("\(path).\(unknown)", problem: "there is no such option", fix: fix)
    }
    return root
  }

  mutating func sections(into configuration: inout Configuration) {
    let names = Schema.sections.map(\.name)
    for (name, node) in document.root.sorted(by: { $0.key < $1.key }) {
      if let section = Schema.sections.first(where: { $0.name == name }) {
        section.decode(node, &self, &configuration)
      } else if case .table = node {
        complain(name, problem: "there is no such section", fix: Self.fix(section: name, names))
      } else if case .array(let nodes) = node, case .table? = nodes.first {
        complain(name, problem: "there is no such section", fix: Self.fix(section: name, names))
      } else {
        complain(
          name, problem: "this option stands in no section",
          fix: Self.home(of: name).map { "move it below \($0)" } ?? "remove it")
      }
    }
  }

  private static func fix(section name: String, _ names: [String]) -> String {
    guard let near = Suggestion.nearest(to: name, among: names),
      let section = Schema.sections.first(where: { $0.name == near })
    else { return "use one of " + Schema.sections.map(\.header).joined(separator: ", ") }
    return "did you mean \(section.header)?"
  }

  private static func fix(unknown: String, section: String, names: [String]) -> String {
    if let near = Suggestion.nearest(to: unknown, among: names) { return "did you mean \(near)?" }
    if let home = home(of: unknown) { return "move it below \(home)" }
    return "remove it; [\(section)] has " + names.joined(separator: ", ")
  }

  /// The section that has an option of this name, if there is exactly one.
  private static func home(of option: String) -> String? {
    let homes = Schema.sections.filter { $0.options.contains { $0.name == option } }
    return homes.count == 1 ? homes[0].header : nil
  }
}
