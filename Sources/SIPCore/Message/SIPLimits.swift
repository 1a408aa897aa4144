/// What one message may cost. RFC 3261 sets no bounds; §26.3.2.4 asks for protection from floods.
package struct SIPLimits: Hashable, Sendable {
  /// Request line or status line, in bytes without CRLF.
  package var startLine: Int
  /// Header field lines of one message.
  package var headerCount: Int
  /// From the start line to the empty line, in bytes. Record-Route and Via of a large installation fill kilobytes.
  package var headerBytes: Int
  /// In bytes, as Content-Length announces it.
  package var bodyBytes: Int

  package init(
    startLine: Int = 4096, headerCount: Int = 160, headerBytes: Int = 32_768, bodyBytes: Int = 262_144
  ) {
    self.startLine = startLine
    self.headerCount = headerCount
    self.headerBytes = headerBytes
    self.bodyBytes = bodyBytes
  }
}
