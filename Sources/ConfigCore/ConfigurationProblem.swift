/// One mistake in a configuration file, with the way out of it.
package struct ConfigurationProblem: Sendable, Hashable, Error {
  package enum Severity: String, Sendable {
    /// The file is not used.
    case error
    /// The file is used; somebody should look at it.
    case warning
  }

  /// Counted from 1; nil where no line is to blame.
  package var line: Int?
  /// The option or section: `queue.time-to-live`, `partner[2].tls` (counted from 1). Empty for the whole file.
  package var path: String
  package var problem: String
  package var fix: String
  package var severity: Severity

  package init(line: Int?, path: String, problem: String, fix: String, severity: Severity = .error) {
    self.line = line
    self.path = path
    self.problem = problem
    self.fix = fix
    self.severity = severity
  }

  /// `FILE:LINE: error: partner[2].tls: … (fix: …)`, the form that editors jump to.
  package func text(file: String) -> String {
    let place = line.map { "\(file):\($0)" } ?? file
    let subject = path.isEmpty ? "" : "\(path): "
    return "\(place): \(severity.rawValue): \(subject)\(problem) (fix: \(fix))"
  }
}

/// Why a value is not accepted; the caller knows where it stands.
struct Complaint: Error {
  var problem: String
  var fix: String
  /// Which element of a list, counted from 1.
  var element: Int?
}
