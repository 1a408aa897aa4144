import Foundation

/// One GET on loopback, without URLSession's caches, proxies and retries.
package enum HTTP {
  /// nil where nobody answers.
  package static func get(_ path: String, port: Int) -> (status: Int, body: String)? {
    guard let fd = try? Loopback.connect(port) else { return nil }
    let connection = Descriptor(fd)
    var limit = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    guard writeAll(connection.number, Array(request.utf8)) else { return nil }
    var bytes: [UInt8] = []
    while let more = readSome(connection.number) { bytes += more }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n"),
      let status = text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return (status, String(text[end.upperBound...]))
  }
}
