import Foundation

/// `posix_spawn` with what the lab wants of every child: a process group of its own and default signals, neither of
/// which Foundation's `Process` can do. It inherits no descriptor but the first three.
enum Spawn {
  private static let lock = NSLock()

  /// Both ends close-on-exec. (`pipe2` is not in Swift's Glibc; the lock keeps a child from starting in between.)
  static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    return try lock.withLock {
      guard Glibc.pipe(&ends) == 0 else { throw LabError("no pipe: \(String(cString: strerror(errno)))") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      return (ends[0], ends[1])
    }
  }

  struct Options {
    /// Descriptor that becomes standard input; nil: /dev/null.
    var input: Int32?
    /// File that standard output and error are appended to.
    var output: String
    var directory: String?
    var environment: [String: String] = [:]
    var newSession = false
  }

  static func run(_ executable: String, _ arguments: [String], _ options: Options) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input = options.input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addopen(&actions, 1, options.output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Foundation's pipes are not close-on-exec: a child of ours that held the end of one, as the lifeline does for as
    // long as we live, would keep somebody who reads to the end of it waiting for ever.
    if let closeFrom = Hidden.closeFrom { _ = closeFrom(&actions, 3) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    sigfillset(&all)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    // 0x80: glibc's POSIX_SPAWN_SETSID, which Swift's Glibc does not show.
    let group = options.newSession ? 0x80 : Int32(POSIX_SPAWN_SETPGROUP)
    let flags = group | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
    posix_spawnattr_setflags(&attributes, Int16(flags))

    let merged = ProcessInfo.processInfo.environment.merging(options.environment) { $1 }
    var pid: pid_t = 0
    // coreutils' `env -C` changes directory and then becomes the program.
    let command = (options.directory.map { ["/usr/bin/env", "-C", $0] } ?? []) + [executable] + arguments
    let status = lock.withLock {
      withCStrings(command) { argv in
        withCStrings(merged.map { "\($0.key)=\($0.value)" }) { envp in
          posix_spawn(&pid, command[0], &actions, &attributes, argv, envp)
        }
      }
    }
    guard status == 0 else { throw LabError("cannot start \(executable): \(String(cString: strerror(status)))") }
    return pid
  }

  private static func withCStrings<T>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> T
  ) -> T {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}
