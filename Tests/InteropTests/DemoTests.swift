import Foundation
import Lab
import Testing

extension InteropTests {
  /// `make run ONCE=1`, and a person's Ctrl-C.
  @Suite(.serialized) struct DemoTests {
    @Test(.timeLimit(.minutes(1))) func once() async throws {
      try await withWorkspace { workspace in
        let demo = try start(["run", "--once"], in: workspace)
        let code = try await demo.waitForExit(within: .seconds(50))
        #expect(code == 0, "\(demo.log.text)")
        #expect(demo.log.contains("Every line crossed (9 of 9)"))
        #expect(processes(named: workspace.root).isEmpty)
      }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [SIGINT, SIGTERM, SIGKILL])
    func leavesNothingBehind(_ signal: Int32) async throws {
      try await withWorkspace { workspace in
        let demo = try start(["run"], in: workspace)
        try await demo.waitUntilReady("invitation", within: .seconds(40)) { demo.log.contains("Ctrl-C stops it") }
        #expect(!processes(named: workspace.root).isEmpty)
        demo.signal(signal)
        let code = try await demo.waitForExit(within: .seconds(20))
        #expect(code == (signal == SIGKILL ? 128 + SIGKILL : 0))
        let gone = try await waitUntil(within: .seconds(10)) {
          self.processes(named: workspace.root).isEmpty && self.folders(in: workspace).isEmpty
        }
        #expect(gone, "\(processes(named: workspace.root)) \(folders(in: workspace))")
      }
    }

    @Test(.timeLimit(.minutes(1))) func saysWhatIsMissing() async throws {
      try await withWorkspace { workspace in
        let demo = try start(["run", "--once"], in: workspace, environment: ["DRAWBRIDGE_EXECUTABLE": "/nowhere"])
        #expect(try await demo.waitForExit(within: .seconds(40)) == 1)
        #expect(demo.log.contains("FAILED: DRAWBRIDGE_EXECUTABLE is /nowhere"))
      }
    }

    private func start(
      _ arguments: [String], in workspace: Workspace, environment: [String: String] = [:]
    ) throws -> ChildProcess {
      let gateway = try GatewayProcess.findExecutable()
      let lab = ((gateway as NSString).deletingLastPathComponent as NSString).appendingPathComponent("drawbridge-lab")
      return try workspace.start(
        name: "demo", executable: ProcessInfo.processInfo.environment["DRAWBRIDGE_LAB_EXECUTABLE"] ?? lab,
        arguments: arguments,
        environment: ["TMPDIR": workspace.root, "DRAWBRIDGE_EXECUTABLE": gateway].merging(environment) { $1 })
    }

    private func folders(in workspace: Workspace) -> [String] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: workspace.root)) ?? []
      return names.filter { $0.hasPrefix("drawbridge-lab-") }
    }

    /// Processes with a path below `root` in their arguments, the demo itself left out.
    private func processes(named root: String) -> [String] {
      let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return all.filter { Int($0) != nil }.compactMap { pid in
        guard let file = fopen("/proc/\(pid)/cmdline", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, 4096, file)
        let line = String(decoding: bytes[..<count].map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
        return line.contains("\(root)/drawbridge-lab-") ? "\(pid) \(line)" : nil
      }
    }
  }
}
