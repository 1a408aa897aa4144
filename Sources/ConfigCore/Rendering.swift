/// Configurations as text.
extension Configuration {
  /// The effective values as TOML, defaults included; what is secret shows as `"***"`.
  package func rendered() -> String {
    var text = ""
    for section in Schema.sections {
      for values in section.render(self) {
        text += (text.isEmpty ? "" : "\n") + section.header + "\n"
        for option in section.options {
          guard let value = values[option.name] else { continue }
          text += "\(option.name) = \(option.shown(value))\n"
        }
      }
    }
    return text
  }
}

/// `Config/reference.toml`: a valid configuration that shows and explains every option.
package enum Reference {
  private static let width = 100

  package static var text: String {
    var text = """
      # The configuration of Drawbridge: every option, with its default or an example.
      # Made from the schema in Sources/ConfigCore; a test keeps it so. Only [[domain]], [[partner]] and
      # [[platform]] are needed, everything else may be left out.
      #
      # A change takes effect with the next start of drawbridge.

      """
    for section in Schema.sections {
      text += "\n" + comment(section.help)
      if section.isRepeated { text += comment("There may be several of these sections.") }
      text += section.header + "\n"
      for option in section.options { text += "\n" + describe(option) }
    }
    return text
  }

  private static func describe(_ option: OptionInfo) -> String {
    let facts = comment(
      "Type: \(option.type)\(option.isRequired ? ", required" : "").")
    let value = option.defaultValue ?? option.example ?? "\"\""
    let isShown = option.defaultValue != nil || option.isRequired || shown.contains(option.path)
    return comment(option.help) + facts + (isShown ? "" : "# ") + "\(option.name) = \(value)\n"
  }

  /// Options that may be left out in general, and not in the example.
  private static let shown: Set<String> = ["platform.certificate", "platform.key"]

  private static func comment(_ text: String) -> String {
    var lines: [String] = []
    var line = "#"
    for word in text.split(separator: " ") {
      if line.count + 1 + word.count > width {
        lines.append(line)
        line = "#"
      }
      line += " " + word
    }
    lines.append(line)
    return lines.map { $0 + "\n" }.joined()
  }
}
