import ArgumentParser

@main
struct DrawbridgeLab: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drawbridge-lab",
    abstract: "Real peers around a gateway, on this machine's loopback.",
    subcommands: [Run.self, Bench.self])
}
