import Foundation

/// A process of the lab: a group of its own, output in a log file, ended by `stop` or by the lifeline.
package final class ChildProcess: @unchecked Sendable {
  package let name: String
  package let pid: pid_t
  package let log: LogFile

  private let input: Int32
  private let lock = NSLock()
  private var status: Int32?

  /// - Parameter output: appended to, so that a restart under the same name keeps the story in one file.
  init(
    name: String, executable: String, arguments: [String], environment: [String: String], directory: String,
    output: String, wantsInput: Bool
  ) throws {
    self.name = name
    log = LogFile(path: output)
    let ends = wantsInput ? try Spawn.pipe() : (reading: -1, writing: -1)
    defer { if wantsInput { close(ends.reading) } }
    input = ends.writing
    let options = Spawn.Options(
      input: wantsInput ? ends.reading : nil, output: output, directory: directory, environment: environment)
    pid = try Spawn.run(executable, arguments, options)
    Lifeline.shared.tell("run", "\(pid)")
    startThread("\(name) exit") { [self] in
      var raw: Int32 = 0
      while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
      // What the process forked goes with it.
      Glibc.kill(-pid, SIGKILL)
      Lifeline.shared.tell("end", "\(pid)")
      lock.withLock { status = raw }
    }
  }

  deinit { if input >= 0 { close(input) } }

  /// The exit status, 128 + signal if a signal ended it; nil while it runs.
  package var exitCode: Int32? {
    lock.withLock { status }.map { $0 & 0x7f == 0 ? ($0 >> 8) & 0xff : 128 + ($0 & 0x7f) }
  }

  package var isRunning: Bool { exitCode == nil }

  /// To the process alone. Safe against a reused pid: nothing is sent once it was reaped.
  package func signal(_ number: Int32) {
    lock.withLock { if status == nil { _ = Glibc.kill(pid, number) } }
  }

  /// To the process and what it forked.
  package func signalGroup(_ number: Int32) {
    lock.withLock { if status == nil { _ = Glibc.kill(-pid, number) } }
  }

  /// One line to its standard input.
  package func type(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
  }

  /// SIGTERM, and SIGKILL for the group if that did not do within `grace`.
  package func stop(grace: Duration = .seconds(4)) async {
    // A stopped process cannot act on SIGTERM.
    signalGroup(SIGCONT)
    signal(SIGTERM)
    if (try? await waitUntil(within: grace) { !self.isRunning }) == true { return }
    await kill()
  }

  package func kill() async {
    signalGroup(SIGKILL)
    _ = try? await waitUntil(within: .seconds(5)) { !self.isRunning }
  }

  package func waitForExit(within limit: Duration) async throws -> Int32 {
    guard let code = try await waitFor(within: limit, { self.exitCode }) else {
      throw LabError("\(name) did not end within \(limit)", log: log.tail(15))
    }
    return code
  }

  /// Waits until `condition` holds; fails at once, with the log's end, when the process ends before.
  package func waitUntilReady(_ what: String, within limit: Duration, _ condition: () throws -> Bool) async throws {
    let ready = try await waitUntil(within: limit) {
      if let code = self.exitCode {
        throw LabError("\(self.name) ended with status \(code) before \(what)", log: self.log.tail(15))
      }
      return try condition()
    }
    if !ready { throw LabError("\(name): no \(what) within \(limit)", log: log.tail(15)) }
  }
}
