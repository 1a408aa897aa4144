import Foundation

/// A program of the machine that the lab needs.
package struct Tool: Sendable {
  package let path: String

  /// - Parameter package: the Debian package to name when it is missing.
  package static func find(_ name: String, package: String) throws -> Tool {
    let search = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for directory in search + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
      let path = "\(directory)/\(name)"
      if access(path, X_OK) == 0 { return Tool(path: path) }
    }
    throw LabError("\(name) is not installed; the lab needs it (apt install \(package))")
  }

  /// Runs to its end; fails with what it printed unless it ends with 0.
  @discardableResult
  package func run(
    _ arguments: [String], in workspace: Workspace, within limit: Duration = .seconds(20)
  ) async throws -> String {
    let name = (path as NSString).lastPathComponent
    let output = workspace.path("\(name)-\(UUID().uuidString).out")
    let child = try workspace.start(name: name, executable: path, arguments: arguments, output: output)
    let code = try await child.waitForExit(within: limit)
    let text = child.log.text
    unlink(output)
    guard code == 0 else {
      throw LabError(
        "\(name) \(arguments.joined(separator: " ")) ended with \(code)",
        log: text.split(separator: "\n").suffix(15).map(String.init))
    }
    return text
  }
}
