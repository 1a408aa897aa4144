import Glibc

/// The signals that end the gateway. Blocked before any thread starts, so that every thread inherits that and one waits.
package enum Signals {
  package static func block() {
    signal(SIGPIPE, SIG_IGN)
    var set = ending
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Returns the signal that asked for the end.
  package static func waitForEnd() -> String {
    var set = ending
    var number: Int32 = 0
    while unsafe sigwait(&set, &number) != 0 {}
    return number == SIGINT ? "SIGINT" : "SIGTERM"
  }

  private static var ending: sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGINT)
    unsafe sigaddset(&set, SIGTERM)
    return set
  }
}
