import Foundation

/// CPU time and memory of processes, from /proc.
package struct ProcessUsage: Sendable {
  package var cpuSeconds: Double
  package var residentMegabytes: Double

  /// Of a process and all its descendants.
  package static func of(_ pid: pid_t) -> ProcessUsage {
    var children: [pid_t: [pid_t]] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let id = pid_t(name), let fields = stat(id) else { continue }
      children[pid_t(fields[1]) ?? 0, default: []].append(id)
    }
    var sum = ProcessUsage(cpuSeconds: 0, residentMegabytes: 0)
    var todo = [pid]
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    let page = Double(sysconf(Int32(_SC_PAGESIZE)))
    while let next = todo.popLast() {
      todo += children[next] ?? []
      guard let fields = stat(next) else { continue }
      sum.cpuSeconds += ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / ticks
      sum.residentMegabytes += (Double(fields[21]) ?? 0) * page / 1e6
    }
    return sum
  }

  /// The fields of /proc/PID/stat behind the command name: 0 is the state, 1 the parent.
  private static func stat(_ pid: pid_t) -> [Substring]? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let close = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(close, offsetBy: 2)...].split(separator: " ")
    return fields.count > 21 ? fields : nil
  }
}
