import Glibc
package import Logging

/// Writes log lines to stderr, a line a call, so that lines of several threads do not mix. journald or the
/// supervisor takes them from there.
///
///     ts=2026-11-21T14:03:22.114Z level=info component=xmpp msg="stream established" peer=partner.test
package struct LogfmtHandler: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  private let label: String
  private let write: @Sendable ([UInt8]) -> Void

  package init(
    label: String, level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void = LogfmtHandler.toStandardError
  ) {
    self.label = label
    logLevel = level
    self.write = write
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var line = Logfmt()
    line.add("ts", Self.timestamp())
    line.add("level", event.level.rawValue)
    line.add("component", label)
    line.add("msg", event.message.description)
    var fields = metadata
    if let more = event.metadata { fields.merge(more) { $1 } }
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) { line.add(key, "\(value)") }
    line.end()
    write(line.bytes)
  }

  /// No longer line is written, so that a pipe takes each at once (PIPE_BUF).
  static let lineLimit = 4096

  package static let toStandardError: @Sendable ([UInt8]) -> Void = { line in
    var bytes = line
    if bytes.count > lineLimit { bytes = bytes[..<(lineLimit - 1)] + [0x0A] }
    // A full pipe must not stop an event loop: what cannot be written now is dropped.
    var target = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    guard unsafe poll(&target, 1, 0) == 1, target.revents & Int16(POLLOUT) != 0 else { return }
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// RFC 3339 in UTC with milliseconds.
  static func timestamp() -> String {
    var now = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
    var parts = unsafe tm()
    var seconds = now.tv_sec
    _ = unsafe gmtime_r(&seconds, &parts)
    func digits(_ value: Int32, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let date = unsafe "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
    let time = unsafe "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
    return "\(date)T\(time).\(digits(Int32(now.tv_nsec / 1_000_000), 3))Z"
  }
}
