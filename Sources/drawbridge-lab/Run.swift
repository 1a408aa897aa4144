import ArgumentParser
import Foundation
import Lab

/// `make run`.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a person on an XMPP server and a person on a SIP platform talk through Drawbridge.",
    discussion: """
      Starts Prosody (partner.test), Kamailio (corp.test) and drawbridge on loopback, with certificates made on the \
      spot, and shows the lines of a conversation as they cross. Everything stays for you to try until Ctrl-C.
      """)

  @Flag(help: "End after the conversation; exit status 0 only if every line crossed.")
  var once = false

  @Option(help: "The drawbridge executable. Without it, the one beside this program.")
  var executable: String?

  func run() async throws {
    if let executable { setenv("DRAWBRIDGE_EXECUTABLE", executable, 1) }
    let demo = Task { try await Demo(staysOpen: !once).run() }
    let signals = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { demo.cancel() }
      source.resume()
      return source
    }
    defer { for source in signals { source.cancel() } }
    do {
      try await demo.value
    } catch is CancellationError {
      say("\nStopped; nothing is left running.")
      // 128 + SIGINT, as a shell would say; a person who ends the demo has not met a failure.
      throw once ? ExitCode(130) : ExitCode.success
    } catch {
      say("\nFAILED: \(error)")
      throw ExitCode(1)
    }
  }
}

/// One line on standard output, at once.
func say(_ line: String) {
  FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
