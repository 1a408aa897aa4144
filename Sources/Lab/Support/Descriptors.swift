import Foundation

/// Lets this process and what it starts have as many open files and connections as the machine's hard limit allows.
package func raiseDescriptorLimit() throws {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
    throw LabError("cannot raise the limit of open files: \(String(cString: strerror(errno)))")
  }
}
