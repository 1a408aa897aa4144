/// `message/cpim` (RFC 3862): header lines, an empty line, then one MIME entity. Only the entity is of use here; who
/// wrote to whom is what the SIP request says.
package enum CPIM {
  package struct Content: Sendable {
    package var type: MediaType
    package var body: [UInt8]
  }

  /// RFC 3862 §2 needs a handful of lines.
  package static let maximumLines = 64

  package static func unwrap(_ bytes: [UInt8]) throws(SIPDefect) -> Content {
    var lines = Lines(bytes)
    // Messages headers.
    while let line = lines.next() {
      guard lines.count <= maximumLines else { throw SIPDefect(415, "CPIM header too long") }
      if line.isEmpty { return try entity(&lines) }
    }
    throw SIPDefect("Malformed CPIM body")
  }

  private static func entity(_ lines: inout Lines) throws(SIPDefect) -> Content {
    var type = MediaType("text", "plain")
    while let line = lines.next() {
      guard lines.count <= maximumLines else { throw SIPDefect(415, "CPIM header too long") }
      if line.isEmpty { return Content(type: type, body: Array(lines.rest)) }
      guard let colon = line.firstIndex(of: ASCII.colon) else { throw SIPDefect("Malformed CPIM body") }
      let name = ASCII.trimmed(line[..<colon])
      let value = ASCII.trimmed(line[(colon + 1)...])
      if ASCII.equalsIgnoringCase(name, "Content-Type") {
        guard let parsed = MediaType(parsing: value) else { throw SIPDefect("Malformed CPIM Content-Type") }
        type = parsed
      } else if ASCII.equalsIgnoringCase(name, "Content-Transfer-Encoding") {
        let plain = ["7bit", "8bit", "binary"].contains(String(header: value).asciiLowercased)
        guard plain else { throw SIPDefect(415, "Unsupported transfer encoding") }
      }
    }
    throw SIPDefect("Malformed CPIM body")
  }

  /// Lines ended by CRLF, or by LF alone as some write them.
  private struct Lines {
    private let bytes: [UInt8]
    private var index = 0
    private(set) var count = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var rest: ArraySlice<UInt8> { bytes[index...] }

    mutating func next() -> ArraySlice<UInt8>? {
      guard let end = bytes[index...].firstIndex(of: ASCII.lf) else { return nil }
      let line = bytes[index..<end]
      index = end + 1
      count += 1
      return line.last == ASCII.cr ? line.dropLast() : line
    }
  }
}
