import ArgumentParser
import Foundation
import Lab

/// `make bench`: what the gateway does and costs, beside Prosody and ejabberd on the same machine in the same run.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure throughput, latency, CPU and memory, beside Prosody and ejabberd.")

  @Option(help: "Round trips at saturation.")
  var count = 20_000

  @Option(help: "Round trips under way at saturation.")
  var window = 200

  @Option(help: "Messages per second in the steady phase.")
  var rate = 1000.0

  @Option(help: "Length of the steady phase, in seconds.")
  var seconds = 10

  @Option(help: "Targets, separated by commas.")
  var targets = "drawbridge,prosody,ejabberd"

  @Option(help: "Also write the figures to this file, as JSON.")
  var json: String?

  func run() async throws {
    var plan = BenchmarkPlan()
    plan.count = count
    plan.window = window
    plan.rate = rate
    plan.steadySeconds = seconds
    var results: [BenchmarkResult] = []
    for target in targets.split(separator: ",") {
      print("\(target): \(count) round trips at saturation, then \(Int(rate))/s for \(seconds) s ...")
      let workspace = try Workspace()
      do {
        switch target {
        case "drawbridge": results.append(try await Benchmarks.gateway(plan, in: workspace))
        case "prosody": results.append(try await Benchmarks.prosody(plan, in: workspace))
        case "ejabberd": results.append(try await Benchmarks.ejabberd(plan, in: workspace))
        default: throw ValidationError("no target \(target)")
        }
      } catch {
        await workspace.close()
        throw error
      }
      await workspace.close()
    }
    show(results)
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(results).write(to: URL(fileURLWithPath: json))
    }
    guard results.allSatisfy({ $0.saturation.lost + $0.steady.lost == 0 }) else { throw ExitCode(1) }
  }

  private func show(_ results: [BenchmarkResult]) {
    func row(_ name: String, _ value: (BenchmarkResult) -> String) {
      let cells = results.map { value($0).leftPadded(14) }.joined()
      print(name.padding(toLength: 44, withPad: " ", startingAt: 0) + cells)
    }
    print("")
    row("") { $0.target }
    row("round trips per second, saturated") { String(format: "%.0f", $0.saturation.perSecond) }
    row("CPU seconds per 10,000 round trips") { String(format: "%.2f", $0.cpuPer10k) }
    row("round trips per CPU second") { String(format: "%.0f", $0.perCPUSecond) }
    row("p50 ms, steady") { String(format: "%.2f", $0.steady.p50) }
    row("p99 ms, steady") { String(format: "%.2f", $0.steady.p99) }
    row("RSS MB, idle") { String(format: "%.0f", $0.residentIdle) }
    row("RSS MB, after \(BenchmarkPlan().activeUsers) active users") { String(format: "%.0f", $0.residentLoaded) }
    row("lost") { "\($0.saturation.lost + $0.steady.lost)" }
    row("repeated") { "\($0.saturation.repeated + $0.steady.repeated)" }
    row("out of order") { "\($0.saturation.reordered + $0.steady.reordered)" }
    guard let own = results.first(where: { $0.target == "drawbridge" }) else { return }
    print("")
    for other in results where other.target != "drawbridge" {
      print(
        String(
          format: "drawbridge does %.2f times the round trips per CPU second of \(other.target)'s plain echo",
          own.perCPUSecond / max(1, other.perCPUSecond)))
    }
  }
}

extension String {
  fileprivate func leftPadded(_ width: Int) -> String {
    String(repeating: " ", count: max(1, width - count)) + self
  }
}
