/// Everything an operator can set. A new value holds the defaults and is no valid configuration: it serves no domain.
package struct Configuration: Sendable, Equatable {
  package var domains: [Domain] = []
  package var partners: [Partner] = []
  package var platforms: [Platform] = []
  package var xmpp = XMPPSettings()
  package var tls = TLSSettings()
  package var dns = DNSSettings()
  package var queue = QueueSettings()
  package var store = StoreSettings()
  package var log = LogSettings()
  package var metrics = MetricsSettings()

  package init() {}

  /// What became of a file.
  package struct Reading: Sendable {
    /// nil if any of the problems is an error.
    package var configuration: Configuration?
    /// In the order of their lines.
    package var problems: [ConfigurationProblem]
  }

  /// Reads a TOML file: decode, then verify. Tells every problem it finds, not only the first.
  ///
  /// `fileProblem` is asked about each file that an option names; it returns what is wrong with it (`does not exist`),
  /// or nil. So this stays free of I/O.
  package static func read(
    _ text: [UInt8], fileProblem: (FileReference) -> String? = { _ in nil }
  ) -> Reading {
    let document: Document
    do throws(ConfigurationProblem) {
      document = try Document(text)
    } catch {
      return Reading(configuration: nil, problems: [error])
    }
    var decoding = Decoding(document)
    var configuration = Configuration()
    decoding.sections(into: &configuration)
    for (path, file) in decoding.files {
      guard let problem = fileProblem(file) else { continue }
      decoding.complain(
        path, problem: "\(file.path): \(problem)", fix: "name a readable \(file.kind.rawValue) file in PEM form")
    }
    configuration.verify(&decoding)
    let problems = decoding.problems.sorted { ($0.line ?? 0, $0.path) < ($1.line ?? 0, $1.path) }
    let valid = problems.allSatisfy { $0.severity != .error }
    return Reading(configuration: valid ? configuration : nil, problems: problems)
  }
}
