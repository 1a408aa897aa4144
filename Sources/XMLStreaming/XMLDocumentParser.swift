/// Reads a document that is there as a whole: the body of a SIP message, a PIDF document. What a stream may not contain
/// (RFC 6120 §11.1), such a document may not contain either.
package enum XMLDocumentParser {
  package static func parse(_ bytes: [UInt8], limits: XMLLimits) throws(XMLStreamError) -> XMLElement {
    var engine = XMLEngine(mode: .document, limits: limits)
    var events: [XMLStreamEvent] = []
    // RFC 3023 allows a byte order mark in UTF-8 documents; streams have none (RFC 6120 §11.6).
    let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let result: Result<Void, XMLStreamError> = unsafe bytes.withUnsafeBufferPointer { buffer in
      do throws(XMLStreamError) {
        try unsafe engine.feed(UnsafeBufferPointer(rebasing: buffer[mark...]), into: &events)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
    guard case .element(let root)? = events.last else { throw .notWellFormed("the document is incomplete") }
    return root
  }
}
