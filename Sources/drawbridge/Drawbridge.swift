import ArgumentParser
import Gateway

@main
struct Drawbridge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drawbridge",
    abstract: "Connects an organisation's chat platform (SIP, Skype for Business) with partners' XMPP servers.",
    subcommands: [Run.self, Check.self, ShowVersion.self])
}

/// Prints what is wrong with a configuration file; fails if it cannot be used.
private func load(_ path: String) throws -> ConfigurationReading {
  do {
    let reading = try ConfigurationReading(path)
    for line in reading.problems { printToStandardError(line) }
    return reading
  } catch {
    printToStandardError("\(error)")
    throw ExitCode(1)
  }
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the gateway until SIGTERM or SIGINT.")

  @Option(help: "The configuration file.")
  var config = "/etc/drawbridge/drawbridge.toml"

  func run() throws {
    Signals.block()
    guard let configuration = try load(config).configuration else { throw ExitCode(1) }
    do {
      let gateway = try Gateway.start(configuration)
      _ = Signals.waitForEnd()
      gateway.stop()
    } catch {
      printToStandardError("drawbridge cannot start: \(error)")
      throw ExitCode(1)
    }
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a configuration file: names the line and the mend of every mistake.")

  @Argument(help: "The configuration file.")
  var file: String

  func run() throws {
    let reading = try load(file)
    guard reading.configuration != nil else { throw ExitCode(1) }
    print("\(file): good\(reading.problems.isEmpty ? "" : ", with \(reading.problems.count) warnings")")
  }
}

struct ShowVersion: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Show the version.")

  func run() { print("drawbridge \(Version.number)") }
}
