import Foundation

/// SIPp, which plays a client of the Skype for Business kind from a scenario. Debian's build has no TLS: it stands
/// behind Kamailio, or speaks TCP with a gateway in its lab setting.
package struct SIPp: Sendable {
  package let port: Int
  private let tool: Tool
  private let workspace: Workspace

  package init(in workspace: Workspace) throws {
    tool = try Tool.find("sipp", package: "sip-tester")
    port = try Loopback.freePort()
    self.workspace = workspace
  }

  /// A scenario that runs.
  package struct Run: Sendable {
    package let process: ChildProcess
    /// Every message SIPp sent and got, with times.
    package let messages: LogFile
    let errors: LogFile

    /// Waits for the end of the scenario; throws what SIPp found wrong.
    package func finish(within limit: Duration = .seconds(30)) async throws {
      let code = try await process.waitForExit(within: limit)
      guard code == 0 else {
        let trail = errors.tail(12) + messages.tail(40)
        throw LabError("\(process.name) ended with \(code)", log: trail.isEmpty ? process.log.tail(20) : trail)
      }
    }
  }

  /// Starts one call of a scenario; for a callee, waits until it listens.
  /// - Parameters:
  ///   - scenario: SIPp's XML.
  ///   - next: port to send to (caller), or nil (callee).
  ///   - keys: values for `[NAME]` in the scenario.
  package func start(
    _ scenario: String, name: String, to next: Int?, calling user: String = "nobody", keys: [String: String] = [:],
    limit: Duration = .seconds(30)
  ) async throws -> Run {
    let file = try workspace.write("sipp/\(name).xml", scenario)
    let (messages, errors) = (workspace.path("sipp/\(name).messages"), workspace.path("sipp/\(name).errors"))
    var arguments = [
      "-sf", file, "-i", "127.0.0.1", "-p", "\(port)", "-t", "t1", "-m", "1", "-l", "1", "-nostdin", "-trace_msg",
      "-message_file", messages, "-trace_err", "-error_file", errors, "-timeout",
      "\(Int(limit.milliseconds / 1000))s", "-timeout_error", "-skip_rlimit", "-s", user,
    ]
    for (key, value) in keys { arguments += ["-key", key, value] }
    arguments.append("127.0.0.1\(next.map { ":\($0)" } ?? "")")
    let process = try workspace.start(name: "sipp-\(name)", executable: tool.path, arguments: arguments)
    if next == nil {
      let port = port
      // A look at /proc: a connection made to see whether it listens would be its one call's connection.
      try await process.waitUntilReady("listening port", within: .seconds(10)) { Self.isListening(port) }
    }
    return Run(process: process, messages: LogFile(path: messages), errors: LogFile(path: errors))
  }

  private static func isListening(_ port: Int) -> Bool {
    guard let file = fopen("/proc/net/tcp", "r") else { return false }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, 1 << 20, file)
    let table = String(decoding: bytes[..<count], as: UTF8.self)
    let local = ":" + String(port, radix: 16, uppercase: true)
    return table.split(separator: "\n").contains { line in
      let fields = line.split(separator: " ")
      return fields.count > 3 && fields[1].hasSuffix(local) && fields[3] == "0A"
    }
  }
}
