/// Something the lab needs did not happen. The text is for the person at the terminal: what was expected, what was
/// there instead, and the last lines of the log that explains it.
package struct LabError: Error, CustomStringConvertible, Sendable {
  package var description: String

  package init(_ description: String) {
    self.description = description
  }

  package init(_ description: String, log: [String]) {
    self.description =
      log.isEmpty ? description : description + "\n" + log.map { "    | \($0)" }.joined(separator: "\n")
  }
}
