import Foundation

/// A directory for everything one lab run writes, and the processes it started. `close` ends the one and removes the
/// other; the lifeline does so if we cannot.
package final class Workspace: @unchecked Sendable {
  package let root: String

  private let lock = NSLock()
  private var children: [ChildProcess] = []

  /// Set to keep the directory of a finished run for reading.
  private static var keeps: Bool { ProcessInfo.processInfo.environment["DRAWBRIDGE_LAB_KEEP"] != nil }

  /// What everybody gets to end by themselves when all is over. Prosody always takes a second; nobody waits for it.
  private static let grace = Duration.milliseconds(400)

  package init() throws {
    let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(base)/drawbridge-lab-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw LabError("cannot make a directory in \(base): \(String(cString: strerror(errno)))")
    }
    root = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    if !Self.keeps { Lifeline.shared.tell("dir", root) }
  }

  package func path(_ name: String) -> String { "\(root)/\(name)" }

  @discardableResult
  package func directory(_ name: String) throws -> String {
    let path = path(name)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  /// Writes a file, making its directories; returns its path.
  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    let path = path(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// - Parameter output: where its output goes; nil: `NAME.log` here.
  package func start(
    name: String, executable: String, arguments: [String], environment: [String: String] = [:],
    output: String? = nil, wantsInput: Bool = false
  ) throws -> ChildProcess {
    let child = try ChildProcess(
      name: name, executable: executable, arguments: arguments, environment: environment, directory: root,
      output: output ?? path("\(name).log"), wantsInput: wantsInput)
    lock.withLock {
      children.removeAll { !$0.isRunning }
      children.append(child)
    }
    return child
  }

  /// Stops every process and removes the directory.
  package func close() async {
    let running = lock.withLock { children }
    // Detached: a cancelled task waits for nothing, and cleaning up has to wait.
    await Task.detached {
      await withTaskGroup(of: Void.self) { group in
        for child in running where child.isRunning { group.addTask { await child.stop(grace: Self.grace) } }
      }
    }.value
    lock.withLock { children.removeAll() }
    if Self.keeps { return }
    try? FileManager.default.removeItem(atPath: root)
    Lifeline.shared.tell("gone", root)
  }
}
