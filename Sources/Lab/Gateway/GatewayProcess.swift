import Foundation

/// The product, run as its users run it: `drawbridge run --config FILE`.
package final class GatewayProcess: @unchecked Sendable {
  package let configuration: GatewayConfiguration
  package let configurationFile: String
  package private(set) var process: ChildProcess

  private let workspace: Workspace
  private let name: String
  private let executable: String

  /// Starts it, waits until it is ready, and enters its domains in the DNS.
  /// - Parameters:
  ///   - executable: nil: found by `findExecutable`.
  ///   - directTLS: whether DNS tells of its direct TLS port.
  ///   - host: the target of the SRV records; see `Ejabberd`.
  package init(
    _ configuration: GatewayConfiguration, name: String = "drawbridge", executable: String? = nil,
    directTLS: Bool = true, host: String? = nil, in workspace: Workspace
  ) async throws {
    self.configuration = configuration
    self.name = name
    self.workspace = workspace
    self.executable = try executable ?? Self.findExecutable()
    for domain in configuration.domains {
      configuration.dns.setXMPP(
        domain.name, port: configuration.xmppPort, directTLS: directTLS ? configuration.directTLSPort : nil, host: host)
    }
    try workspace.directory(name)
    configurationFile = try workspace.write(
      "\(name)/drawbridge.toml", configuration.toml(store: workspace.path("\(name)/store")))
    process = try Self.launch(self.executable, name, configurationFile, workspace)
    try await waitUntilReady()
  }

  package var log: LogFile { process.log }

  /// kill -9: what a crash leaves behind.
  package func crash() async { await process.kill() }

  package func stop() async { await process.stop(grace: .seconds(10)) }

  /// Starts it again on the same store and ports; stops it before if it still runs.
  package func restart() async throws {
    await process.stop(grace: .seconds(10))
    process = try Self.launch(executable, name, configurationFile, workspace)
    try await waitUntilReady()
  }

  package func waitUntilReady(within limit: Duration = .seconds(20)) async throws {
    let (port, path) = (configuration.metricsPort, configuration.readiness)
    try await process.waitUntilReady("answer 200 on \(path)", within: limit) {
      HTTP.get(path, port: port)?.status == 200
    }
  }

  /// The series of /metrics by their full name: `drawbridge_queue_messages{destination="partner.test"}`.
  package func metrics() throws -> [String: Double] {
    guard let answer = HTTP.get("/metrics", port: configuration.metricsPort), answer.status == 200 else {
      throw LabError("no /metrics on port \(configuration.metricsPort)")
    }
    var series: [String: Double] = [:]
    for line in answer.body.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { continue }
      series[String(line[..<space])] = value
    }
    return series
  }

  private static func launch(
    _ executable: String, _ name: String, _ file: String, _ workspace: Workspace
  ) throws -> ChildProcess {
    try workspace.start(name: name, executable: executable, arguments: ["run", "--config", file])
  }

  /// `DRAWBRIDGE_EXECUTABLE`, or the `drawbridge` that was built with what runs now.
  package static func findExecutable() throws -> String {
    if let named = ProcessInfo.processInfo.environment["DRAWBRIDGE_EXECUTABLE"] {
      guard access(named, X_OK) == 0 else { throw LabError("DRAWBRIDGE_EXECUTABLE is \(named), which cannot be run") }
      return named
    }
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // A test bundle is loaded by a runner of the toolchain; its own path is among the arguments.
    let places = [own] + CommandLine.arguments.filter { $0.contains(".xctest") }
    for place in places {
      var folder = place as NSString
      for _ in 0..<4 {
        folder = folder.deletingLastPathComponent as NSString
        let candidate = folder.appendingPathComponent("drawbridge")
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder)
        if exists && !isFolder.boolValue && access(candidate, X_OK) == 0 { return candidate }
      }
    }
    throw LabError("no drawbridge executable beside \(own); build it (swift build) or set DRAWBRIDGE_EXECUTABLE")
  }
}
