/// Cuts the byte stream of one TCP or TLS connection into messages (RFC 3261 §18.3), whatever way it is split into
/// reads.
///
/// The driver appends what it received and takes events until there is none. After `broken` nothing more can be read
/// from the connection: where the next message starts is unknown.
package struct StreamFramer: Sendable {
  package enum Event: Sendable {
    case message(SIPMessage)
    /// A request that can be answered but not served. The stream goes on behind it.
    case malformed(SIPRequest, SIPDefect)
    /// A response that nobody can make sense of. The stream goes on behind it.
    case dropped(SIPDefect)
    /// CRLFCRLF between messages: to be answered with CRLF (RFC 5626 §4.4.1).
    case ping
    /// The connection cannot be read any further. The request, where there is one, can be answered before closing.
    case broken(SIPRequest?, SIPDefect)
  }

  package static let pong: [UInt8] = [0x0D, 0x0A]

  /// Room kept for the next message; more is given back once it has been read.
  private static let keptCapacity = 16_384

  private let limits: SIPLimits
  private var buffer: [UInt8] = []
  private var start = 0
  /// No empty line ends before here.
  private var scanned = 0
  private var emptyLines = 0
  private var isBroken = false
  /// The head of the message whose body is still coming.
  private var pending: (head: HeadParser.Head, bodyLength: Int)?

  package init(limits: SIPLimits = .init()) { self.limits = limits }

  /// Bytes received and not yet taken as a message.
  package var buffered: Int { buffer.count - start }

  /// A part of a message is here and waits for its rest; the head alone counts, even where no byte of the body came.
  package var isPartial: Bool { pending != nil || buffered > 0 }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard !isBroken else { return }
    if start == buffer.count {
      start = 0
      scanned = 0
      if buffer.capacity > Self.keptCapacity { buffer = [] } else { buffer.removeAll(keepingCapacity: true) }
    } else if start > Self.keptCapacity {
      buffer.removeSubrange(..<start)
      scanned -= start
      start = 0
    }
    unsafe buffer.append(contentsOf: bytes)
  }

  package mutating func append(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe append($0) }
  }

  package mutating func next() -> Event? {
    guard !isBroken else { return nil }
    if pending == nil {
      if let event = skipEmptyLines() { return event }
      if let event = takeHead() { return event }
    }
    return takeBody()
  }

  /// Every second CRLF in a row is a ping. A single one is what some put behind a message (RFC 3261 §7.5).
  private mutating func skipEmptyLines() -> Event? {
    while buffer.count - start >= 2, buffer[start] == ASCII.cr, buffer[start + 1] == ASCII.lf {
      start += 2
      scanned = start
      emptyLines += 1
      if emptyLines.isMultiple(of: 2) { return .ping }
    }
    return nil
  }

  private mutating func takeHead() -> Event? {
    guard start < buffer.count else { return nil }
    if buffer[start] != ASCII.cr { emptyLines = 0 }
    guard let end = endOfHead() else {
      if buffered > limits.headerBytes + 1 { return breakOff(nil, SIPDefect(413, "Header too large")) }
      // Garbage has no line end at all: no need to wait for it to fill the header limit.
      let longest = limits.startLine + 2
      if buffered >= longest, !buffer[start..<(start + longest)].contains(ASCII.lf) {
        return breakOff(nil, SIPDefect(414, "Start line too long"))
      }
      return nil
    }
    let text = Array(buffer[start..<end])
    start = end + 2
    scanned = start
    guard text.count <= limits.headerBytes else { return breakOff(nil, SIPDefect(413, "Header too large")) }
    var head: HeadParser.Head
    do throws(SIPDefect) {
      head = try HeadParser.parse(text, limits: limits)
    } catch {
      return breakOff(nil, error)
    }
    do throws(SIPDefect) {
      pending = (head, try bodyLength(head.headers))
    } catch {
      head.defect = error
      guard case .request(let request) = Self.message(head, body: []) else { return breakOff(nil, error) }
      return breakOff(request, error)
    }
    return nil
  }

  /// Where the empty line begins.
  private mutating func endOfHead() -> Int? {
    var index = max(scanned, start)
    // The last three bytes may be the beginning of CRLFCRLF.
    while index + 3 < buffer.count {
      if buffer[index + 3] > ASCII.cr {
        index += 4
      } else if buffer[index] == ASCII.cr, buffer[index + 1] == ASCII.lf, buffer[index + 2] == ASCII.cr,
        buffer[index + 3] == ASCII.lf
      {
        return index + 2
      } else {
        index += 1
      }
    }
    scanned = index
    return nil
  }

  /// RFC 3261 §18.3: without Content-Length a stream cannot be framed. §20.14, RFC 4475 §3.3.9: one value only.
  private func bodyLength(_ headers: SIPHeaders) throws(SIPDefect) -> Int {
    var length: Int?
    for value in headers.all(.contentLength) {
      guard let number: Int = ASCII.number(value) else { throw SIPDefect("Malformed Content-Length") }
      guard length == nil || length == number else { throw SIPDefect("Conflicting Content-Length") }
      length = number
    }
    guard let length else { throw SIPDefect("Missing Content-Length") }
    guard length <= limits.bodyBytes else { throw SIPDefect(413, "Body too large") }
    return length
  }

  private mutating func takeBody() -> Event? {
    guard let (head, length) = pending, buffer.count - start >= length else { return nil }
    pending = nil
    let message = Self.message(head, body: length == 0 ? [] : Array(buffer[start..<(start + length)]))
    start += length
    scanned = start
    guard let defect = head.defect else { return .message(message) }
    if case .request(let request) = message { return .malformed(request, defect) }
    return .dropped(defect)
  }

  private mutating func breakOff(_ request: SIPRequest?, _ defect: SIPDefect) -> Event {
    isBroken = true
    buffer = []
    start = 0
    pending = nil
    return .broken(request, defect)
  }

  private static func message(_ head: HeadParser.Head, body: [UInt8]) -> SIPMessage {
    switch head.startLine {
    case .request(let method, let uri): .request(SIPRequest(method, uriText: uri, headers: head.headers, body: body))
    case .status(let status, let reason):
      .response(SIPResponse(status, reason: reason, headers: head.headers, body: body))
    }
  }
}
