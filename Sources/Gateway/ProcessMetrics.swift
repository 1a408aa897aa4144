import Glibc
import MetricsCore

/// What the kernel says of this process, read when somebody asks (Prometheus' standard process metrics).
enum ProcessMetrics {
  static func update(_ metrics: Catalogue) {
    var usage = rusage()
    if unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
      func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
      metrics.cpu.with().set(seconds(usage.ru_utime) + seconds(usage.ru_stime))
    }
    if let statm = try? ConfigurationFile.contents(of: "/proc/self/statm") {
      let fields = String(decoding: statm, as: UTF8.self).split(separator: " ")
      if fields.count > 1, let pages = Double(fields[1]) {
        metrics.resident.with().set(pages * Double(sysconf(Int32(_SC_PAGESIZE))))
      }
    }
    metrics.descriptors.with().set(openDescriptors())
  }

  private static func openDescriptors() -> Int {
    guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    return max(0, count - 3)
  }
}
