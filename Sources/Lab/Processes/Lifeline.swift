import Foundation

/// A shell that outlives us by a moment: it holds the reading end of a pipe, is told every process group and directory
/// of the lab, and when the pipe ends – we returned, crashed, or were killed – it kills and removes what is left.
///
/// PR_SET_PDEATHSIG would be the obvious means and is not enough: it is bound to the *thread* that forked (a pool's
/// thread may end long before the process) and it reaches the child only, not the workers that Kamailio forks.
final class Lifeline: @unchecked Sendable {
  static let shared = Lifeline()

  private let lock = NSLock()
  private let pipe: Int32

  private static let script = """
    groups=; dirs=; nets=
    IFS='
    '
    while IFS=' ' read -r verb value; do
      case $verb in
        run) groups="$groups
    $value" ;;
        end) groups=$(printf '%s\\n' "$groups" | grep -vx -e "$value") ;;
        dir) dirs="$dirs
    $value" ;;
        gone) dirs=$(printf '%s\\n' "$dirs" | grep -vxF -e "$value") ;;
        net) nets="$nets
    $value" ;;
        unnet) nets=$(printf '%s\\n' "$nets" | grep -vxF -e "$value") ;;
      esac
    done
    for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
    for dir in $dirs; do rm -rf -- "$dir"; done
    for net in $nets; do ip link delete "${net}a" 2>/dev/null; ip netns delete "$net" 2>/dev/null; done
    """

  private init() {
    guard let ends = try? Spawn.pipe() else {
      pipe = -1
      return
    }
    pipe = ends.writing
    // A session of its own: Ctrl-C at the terminal must not reach it before us.
    let options = Spawn.Options(input: ends.reading, output: "/dev/null", newSession: true)
    _ = try? Spawn.run("/bin/sh", ["-c", Self.script], options)
    close(ends.reading)
  }

  func tell(_ verb: String, _ value: String) {
    let line = Array("\(verb) \(value)\n".utf8)
    lock.withLock { _ = line.withUnsafeBytes { write(pipe, $0.baseAddress, $0.count) } }
  }
}
