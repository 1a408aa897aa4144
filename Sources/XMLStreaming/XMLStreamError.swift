/// Why the bytes of a peer are not read on. The stream they came on is over.
///
/// The texts are for the operator; they quote nothing that the peer sent.
package enum XMLStreamError: Error, Hashable, Sendable {
  case notWellFormed(String)
  /// A comment, a processing instruction, a DTD, or an entity beyond the five predefined (RFC 6120 §11.1).
  case restrictedXML(String)
  case unsupportedEncoding(String)
  /// Well-formed, yet nothing that belongs into a stream: text between stanzas, a stream inside the stream.
  case badFormat(String)
  case limitExceeded(XMLLimits.Name, Int)
  /// Something other than white space follows the end of the stream.
  case afterEnd
  case outOfMemory

  /// The stream error condition (RFC 6120 §4.9.3) that tells the peer.
  package var streamCondition: String {
    switch self {
    case .notWellFormed, .afterEnd: "not-well-formed"  // §4.9.3.13
    case .restrictedXML: "restricted-xml"  // §4.9.3.18
    case .unsupportedEncoding: "unsupported-encoding"  // §4.9.3.22
    case .badFormat: "bad-format"  // §4.9.3.1
    case .limitExceeded: "policy-violation"  // §4.9.3.14, §13.12
    case .outOfMemory: "resource-constraint"  // §4.9.3.17
    }
  }
}

extension XMLStreamError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notWellFormed(let detail): "not well-formed: \(detail)"
    case .restrictedXML(let detail): "restricted XML: \(detail)"
    case .unsupportedEncoding(let detail): "unsupported encoding: \(detail)"
    case .badFormat(let detail): "bad format: \(detail)"
    case .limitExceeded(let name, let value): "limit \(name.rawValue)=\(value) exceeded"
    case .afterEnd: "data after the end of the stream"
    case .outOfMemory: "out of memory"
    }
  }
}
