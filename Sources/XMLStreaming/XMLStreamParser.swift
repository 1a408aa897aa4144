package enum XMLStreamEvent: Hashable, Sendable {
  /// The stream header: its name and attributes, and the namespaces it declares by prefix ("" is the default).
  case opened(XMLElement, declaredNamespaces: [String: String])
  /// A whole child of the root.
  case element(XMLElement)
  /// The end tag of the root.
  case closed
}

/// Reads one direction of an XML stream (RFC 6120 §4) from bytes in any portions. However they are split, the events are
/// the same, and each is given with the byte that completes it.
///
/// Not thread-safe: it belongs to one connection.
package final class XMLStreamParser {
  /// May be raised when the peer has authenticated. Holds from the next byte on.
  package var limits: XMLLimits {
    get { engine.limits }
    set { engine.limits = newValue }
  }

  private var engine: XMLEngine

  package init(limits: XMLLimits) {
    engine = XMLEngine(mode: .stream, limits: limits)
  }

  /// Appends what the bytes complete. What stands in front of an error is still given.
  ///
  /// After an error every further call throws the same one, until `reset`.
  package func feed(_ bytes: UnsafeRawBufferPointer, into events: inout [XMLStreamEvent]) throws(XMLStreamError) {
    try unsafe engine.feed(bytes.assumingMemoryBound(to: UInt8.self), into: &events)
  }

  package func feed(_ bytes: [UInt8], into events: inout [XMLStreamEvent]) throws(XMLStreamError) {
    let result: Result<Void, XMLStreamError> = unsafe bytes.withUnsafeBytes { buffer in
      do throws(XMLStreamError) {
        try unsafe feed(buffer, into: &events)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// A new stream begins with the next byte (RFC 6120 §4.3.3). What was unfinished is forgotten, and with it what the
  /// peer may have sent ahead: call it between the answer that restarts the stream and the bytes that follow.
  package func reset() {
    engine = XMLEngine(mode: .stream, limits: engine.limits)
  }
}
