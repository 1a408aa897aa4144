package import ConfigCore
import Glibc

/// A configuration file, read and checked, with its problems as lines of text for the operator.
package struct ConfigurationReading {
  /// nil if the file cannot be used.
  package let configuration: Configuration?
  package let problems: [String]

  package init(_ path: String) throws {
    let reading = try ConfigurationFile.read(path)
    configuration = reading.configuration
    problems = reading.problems.map { $0.text(file: path) }
  }
}

package func printToStandardError(_ line: String) { LogfmtHandler.toStandardError(Array((line + "\n").utf8)) }
