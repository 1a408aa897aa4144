/// A SIP message as the load tool sees it: just enough to answer and to echo, written apart from SIPCore so that the
/// gateway is not tested against itself.
package struct WireSIP: Sendable {
  package var startLine: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(startLine: String, headers: [(name: String, value: String)], body: [UInt8] = []) {
    self.startLine = startLine
    self.headers = headers
    self.body = body
  }

  package var isResponse: Bool { startLine.hasPrefix("SIP/2.0 ") }
  package var status: Int { Int(startLine.dropFirst(8).prefix(3)) ?? 0 }
  package var method: String { String(startLine.prefix { $0 != " " }) }

  package subscript(name: String) -> String? {
    headers.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased() }?.value
  }

  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(512 + body.count)
    out += startLine.utf8
    out += [13, 10]
    for header in headers where header.name != "Content-Length" {
      out += header.name.utf8
      out += [58, 32]
      out += header.value.utf8
      out += [13, 10]
    }
    out += "Content-Length: \(body.count)\r\n\r\n".utf8
    out += body
    return out
  }

  /// The response to this request, with the headers that RFC 3261 §8.2.6.2 has copied.
  package func response(_ status: Int, _ reason: String) -> WireSIP {
    let copied: Set = ["via", "from", "to", "call-id", "cseq", "record-route"]
    var headers = headers.filter { copied.contains($0.name.lowercased()) }
    for index in headers.indices
    where headers[index].name.lowercased() == "to" && !headers[index].value.contains(";tag=") {
      headers[index].value += ";tag=platform"
    }
    return WireSIP(startLine: "SIP/2.0 \(status) \(reason)", headers: headers)
  }

  /// The `user@domain` of a From or To value.
  package static func address(_ value: String) -> String {
    guard let start = value.range(of: "sip:")?.upperBound else { return value }
    return String(value[start...].prefix { $0 != ">" && $0 != ";" })
  }
}

/// Cuts a byte stream into messages.
package struct WireSIPFramer: Sendable {
  private var buffer: [UInt8] = []
  private var start = 0

  package init() {}

  package mutating func feed(_ bytes: UnsafeRawBufferPointer) -> [WireSIP] {
    buffer.append(contentsOf: bytes)
    var messages: [WireSIP] = []
    while let message = next() { messages.append(message) }
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    return messages
  }

  private mutating func next() -> WireSIP? {
    while start < buffer.count, buffer[start] == 13 || buffer[start] == 10 { start += 1 }
    var end = start
    while end + 3 < buffer.count {
      if buffer[end] == 13, buffer[end + 1] == 10, buffer[end + 2] == 13, buffer[end + 3] == 10 { break }
      end += 1
    }
    guard end + 3 < buffer.count else { return nil }
    let head = String(decoding: buffer[start..<end], as: UTF8.self)
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
    let startLine = String(lines.removeFirst())
    var headers: [(name: String, value: String)] = []
    var length = 0
    for line in lines {
      guard let colon = line.utf8.firstIndex(of: 58) else { continue }
      let name = String(line[..<colon])
      let value = line[line.utf8.index(after: colon)...].drop { $0 == " " }
      if name.utf8.count == 14 && name.lowercased() == "content-length" || name == "l" { length = Int(value) ?? 0 }
      headers.append((name, String(value)))
    }
    guard buffer.count >= end + 4 + length else { return nil }
    let body = Array(buffer[(end + 4)..<(end + 4 + length)])
    start = end + 4 + length
    return WireSIP(startLine: startLine, headers: headers, body: body)
  }
}
