import Foundation
import NIOCore
import Testing

@testable import Lab

extension InteropTests {
  /// The static executable that `make static` builds, in a directory tree that holds nothing but itself, its configuration,
  /// its certificates and its store.
  @Suite(.serialized) struct StaticExecutableTests {
    private func executable() throws -> String {
      let named = ProcessInfo.processInfo.environment["DRAWBRIDGE_STATIC"] ?? ".build-static/release/drawbridge"
      guard access(named, X_OK) == 0 else {
        throw LabError("\(named) is not there: run `make static`, or `make test`, which does")
      }
      return URL(fileURLWithPath: named).path
    }

    @Test(.timeLimit(.minutes(2))) func carriesMessagesInAnEmptyTree() async throws {
      try await withWorkspace { workspace in
        let root = try workspace.directory("root")
        try workspace.directory("root/proc")
        try workspace.directory("root/\(workspace.root)")
        // By another process: a copy that we have open for writing could not be run (ETXTBSY).
        try await Tool.find("cp", package: "coreutils").run([try executable(), "\(root)/drawbridge"], in: workspace)
        // A mount namespace of its own: nothing is left behind. The Swift runtime needs /proc.
        let script = try workspace.write(
          "enter",
          """
          #!/bin/sh
          exec unshare --mount sh -c 'mount -t proc proc "\(root)/proc" && \
          mount --bind "\(workspace.root)" "\(root)\(workspace.root)" && exec chroot "\(root)" /drawbridge "$@"' sh "$@"
          """)
        #expect(chmod(script, 0o755) == 0)
        let stage = try await LoadStage(in: workspace, executable: script)
        let traffic = TwoWayTraffic(partner: stage.partner, platform: stage.platform, ports: stage.ports, count: 100)
        try await stage.loop.submit { traffic.start() }.get()
        let complete = try await traffic.completes(within: .seconds(30))
        let summary = try await stage.loop.submit { traffic.summary }.get()
        #expect(complete, "\(summary)\n\(stage.gateway.log.text)")
        try await stage.loop.submit { traffic.stop() }.get()
        await stage.close()
      }
    }

    @Test func isStaticAndHardened() async throws {
      try await withWorkspace { workspace in
        let readelf = try Tool.find("readelf", package: "binutils")
        let path = try executable()
        let segments = try await readelf.run(["-lW", path], in: workspace)
        #expect(!segments.contains("INTERP"), "static")
        #expect(segments.contains("GNU_RELRO"))
        let stack = segments.split(separator: "\n").first { $0.contains("GNU_STACK") } ?? ""
        #expect(stack.contains("RW ") && !stack.contains("RWE"), "no executable stack")
        #expect(try await readelf.run(["-hW", path], in: workspace).contains("DYN"), "position-independent")
        let dynamic = try await readelf.run(["-dW", path], in: workspace)
        #expect(!dynamic.contains("NEEDED") && dynamic.contains("NOW"))
      }
    }
  }
}
