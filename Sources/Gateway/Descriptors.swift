import Glibc

/// File descriptors: every connection needs one, and the usual soft limit of 1024 is less than `[xmpp] connections` allows.
enum Descriptors {
  /// Raises the soft limit as far as the system lets an ordinary process. Nothing to do where that fails: accepting pauses
  /// when descriptors run out.
  static func raiseLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(resource, &limit)
  }
}
