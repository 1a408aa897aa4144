/// What one peer may make us hold. Counts are per top-level element (a stanza, a stream feature set, the stream header)
/// unless they say otherwise, and are checked while the bytes arrive: an unfinished element never costs more.
package struct XMLLimits: Hashable, Sendable {
  package enum Name: String, Hashable, Sendable {
    case bytes, depth, elements, attributes
    case attributesPerElement = "attributes-per-element"
    case namespaceDeclarations = "namespace-declarations"
    case tokenBytes = "token-bytes"
    case textNodes = "text-nodes"
    case nameBytes = "name-bytes"
  }

  /// From the `<` of the start tag to the `>` of the end tag. RFC 6120 §13.12: a server must take at least 10,000.
  package var bytes: Int
  /// The top-level element itself is at depth 1.
  package var depth: Int
  package var elements: Int
  package var attributes: Int
  package var attributesPerElement: Int
  package var namespaceDeclarations: Int
  /// One tag, from `<` to `>`; it has to be held whole before it can be read.
  package var tokenBytes: Int
  /// Runs of character data between tags.
  package var textNodes: Int
  /// The local name of one element or attribute.
  package var nameBytes: Int

  package init(
    bytes: Int, depth: Int, elements: Int, attributes: Int, attributesPerElement: Int, namespaceDeclarations: Int,
    tokenBytes: Int, textNodes: Int, nameBytes: Int
  ) {
    self.bytes = bytes
    self.depth = depth
    self.elements = elements
    self.attributes = attributes
    self.attributesPerElement = attributesPerElement
    self.namespaceDeclarations = namespaceDeclarations
    self.tokenBytes = tokenBytes
    self.textNodes = textNodes
    self.nameBytes = nameBytes
  }

  /// For a peer that has proved nothing yet: all that negotiation needs, in little memory. The 10,000 bytes of RFC 6120
  /// §13.12 are for stanzas, and there are none yet. A tag of negotiation never needs more than two names that DNS can
  /// hold, of 253 bytes, and a few namespaces.
  package static let beforeAuthentication = XMLLimits(
    bytes: 3_072, depth: 6, elements: 12, attributes: 24, attributesPerElement: 12, namespaceDeclarations: 10,
    tokenBytes: 2_048, textNodes: 12, nameBytes: 64)

  /// For a server that we dialled and that has not taken us yet: there are few of them, and what they offer may be much.
  package static let negotiation = XMLLimits(
    bytes: 10_000, depth: 8, elements: 64, attributes: 96, attributesPerElement: 24, namespaceDeclarations: 48,
    tokenBytes: 4_096, textNodes: 64, nameBytes: 64)

  package static let authenticated = XMLLimits.authenticated(bytes: 262_144)

  /// For a peer that proved its domain, with the operator's choice of stanza size. The other limits grow with it, so
  /// that a stanza cannot cost some ten times more memory than it has bytes.
  package static func authenticated(bytes: Int) -> XMLLimits {
    let bytes = max(bytes, 10_000)
    return XMLLimits(
      bytes: bytes, depth: 64, elements: max(512, bytes / 32), attributes: max(512, bytes / 32),
      attributesPerElement: 128, namespaceDeclarations: max(256, bytes / 256), tokenBytes: min(bytes, 65_536),
      textNodes: max(512, bytes / 32), nameBytes: 256)
  }
}
