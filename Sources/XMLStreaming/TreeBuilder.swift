/// Makes elements of what Expat reports, within the limits. Sits behind Expat's callbacks: it never throws, it keeps
/// the first failure, and whoever called it stops Expat.
@safe
final class TreeBuilder {
  enum Mode {
    /// The root stays open; its children are the events (RFC 6120 §4.1).
    case stream
    /// The root is the event.
    case document
  }

  let mode: Mode
  var limits: XMLLimits
  var events: [XMLStreamEvent] = []
  private(set) var failure: XMLStreamError?

  /// The name of the root, once it is open.
  private(set) var root: XMLName?
  /// The bytes of its start tag, and where its end tag ends, in bytes given to Expat.
  private(set) var headerRange: Range<Int>?
  private(set) var closedAt: Int?
  /// The parser whose callback is running.
  var expat: OpaquePointer?
  /// The unfinished top-level element and those open inside it.
  private var open: [XMLElement] = []
  /// Character data since the last tag.
  private var text: [UInt8] = []
  private var prefixes: [String: String] = [:]

  /// Where the unfinished top-level element began, in bytes given to this Expat.
  private(set) var elementStart = 0
  private var elementCount = 0
  private var attributeCount = 0
  private var declarationCount = 0
  private var textCount = 0

  /// What the names seen so far may have cost Expat, in bytes: it remembers every name and prefix as long as it lives.
  private(set) var wear = 0
  /// Set while the header is read a second time by a fresh Expat.
  private var isReplaying = false

  init(mode: Mode, limits: XMLLimits) {
    self.mode = mode
    self.limits = limits
  }

  var isClosed: Bool { closedAt != nil }

  var isBetweenElements: Bool { open.isEmpty }

  func fail(_ error: XMLStreamError) {
    if failure == nil { failure = error }
  }

  /// A fresh Expat reads the header again; nothing is reported.
  func beginReplay() {
    isReplaying = true
  }

  func abandon() {
    open = []
    text = []
  }

  // MARK: What Expat reports

  func declaration(version: String?, encoding: String?, standalone: Int32) {
    if let version, version != "1.0" { fail(.restrictedXML("XML version other than 1.0")) }
    // RFC 6120 §11.6.
    if let encoding, encoding.lowercased() != "utf-8" { fail(.unsupportedEncoding("declared as something else")) }
    if standalone >= 0 && mode == .stream { fail(.restrictedXML("a standalone declaration")) }
  }

  func namespace(prefix: UnsafePointer<CChar>?, uri: UnsafePointer<CChar>?) {
    declarationCount += 1
    if declarationCount > limits.namespaceDeclarations {
      return fail(.limitExceeded(.namespaceDeclarations, limits.namespaceDeclarations))
    }
    guard let prefix = unsafe prefix else {
      if root == nil, let uri = unsafe uri { prefixes[""] = unsafe String(cString: uri) }
      return
    }
    wear += Self.costOfName
    if root == nil, let uri = unsafe uri { unsafe prefixes[String(cString: prefix)] = String(cString: uri) }
  }

  func start(
    name: UnsafePointer<CChar>, attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>, from start: Int, to end: Int
  ) {
    if isReplaying {
      isReplaying = false
      wear = 0
      resetCounts()
      return
    }
    let isTop = open.isEmpty
    if isTop {
      elementStart = start
    } else {
      flushText()
    }
    elementCount += 1
    if end - elementStart > limits.bytes { return fail(.limitExceeded(.bytes, limits.bytes)) }
    if open.count >= limits.depth { return fail(.limitExceeded(.depth, limits.depth)) }
    if elementCount > limits.elements { return fail(.limitExceeded(.elements, limits.elements)) }

    let element = unsafe XMLElement(name: self.name(name), attributes: self.attributes(attributes))
    if failure != nil { return }
    guard let root else {
      root = element.name
      if mode == .stream {
        headerRange = start..<end
        events.append(.opened(element, declaredNamespaces: prefixes))
        prefixes = [:]
        resetCounts()
      } else {
        open.append(element)
      }
      return
    }
    // A stream in the stream: the class of CVE-2022-22784 and CVE-2022-20917.
    if isTop && element.name == root { return fail(.badFormat("a stream header inside the stream")) }
    open.append(element)
  }

  func characters(_ bytes: UnsafeBufferPointer<UInt8>, to end: Int) {
    if open.isEmpty {
      // RFC 6120 §4.6.1: white space between stanzas keeps the connection alive, nothing else may stand there.
      if unsafe !bytes.allSatisfy(isWhiteSpace) { fail(.badFormat("text between stanzas")) }
      return
    }
    if end - elementStart > limits.bytes { return fail(.limitExceeded(.bytes, limits.bytes)) }
    if text.isEmpty {
      textCount += 1
      if textCount > limits.textNodes { return fail(.limitExceeded(.textNodes, limits.textNodes)) }
    }
    unsafe text.append(contentsOf: bytes)
  }

  func end(to end: Int) {
    guard var element = open.popLast() else {
      closedAt = end
      events.append(.closed)
      return
    }
    if end - elementStart > limits.bytes { return fail(.limitExceeded(.bytes, limits.bytes)) }
    if !text.isEmpty { element.content.append(takeText()) }
    if open.isEmpty {
      events.append(.element(element))
      resetCounts()
      if mode == .document { closedAt = end }
    } else {
      open[open.count - 1].content.append(.element(element))
    }
  }

  // MARK: Parts

  /// Expat's entry for a name: the structure, its slot in a table that doubles, the heap's own overhead.
  private static let costOfName = 128
  /// Larger buffers are given back after use.
  private static let keptTextBytes = 1_024

  private func flushText() {
    if text.isEmpty { return }
    open[open.count - 1].content.append(takeText())
  }

  private func takeText() -> XMLContent {
    let content = XMLContent.text(String(decoding: text, as: UTF8.self))
    text.removeAll(keepingCapacity: text.capacity <= Self.keptTextBytes)
    return content
  }

  private func resetCounts() {
    elementCount = 0
    attributeCount = 0
    declarationCount = 0
    textCount = 0
  }

  private func attributes(_ list: UnsafeMutablePointer<UnsafePointer<CChar>?>) -> [XMLAttribute] {
    var count = 0
    while unsafe list[2 * count] != nil { count += 1 }
    if count == 0 { return [] }
    attributeCount += count
    if count > limits.attributesPerElement {
      fail(.limitExceeded(.attributesPerElement, limits.attributesPerElement))
      return []
    }
    if attributeCount > limits.attributes {
      fail(.limitExceeded(.attributes, limits.attributes))
      return []
    }
    var attributes: [XMLAttribute] = []
    attributes.reserveCapacity(count)
    for index in 0..<count {
      guard let name = unsafe list[2 * index], let value = unsafe list[2 * index + 1] else { break }
      unsafe attributes.append(XMLAttribute(self.name(name), String(cString: value)))
    }
    return attributes
  }

  private func name(_ pointer: UnsafePointer<CChar>) -> XMLName {
    var length = 0
    while unsafe pointer[length] != 0 { length += 1 }
    let bytes = unsafe UnsafeBufferPointer(
      start: UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt8.self), count: length)
    if let known = unsafe KnownNames.shared.lookup(bytes) { return known }

    wear += Self.costOfName + length
    let separator = unsafe bytes.firstIndex(of: KnownNames.separator)
    if length - (separator.map { $0 + 1 } ?? 0) > limits.nameBytes {
      fail(.limitExceeded(.nameBytes, limits.nameBytes))
      return XMLName("")
    }
    guard let separator else {
      return unsafe XMLName(String(decoding: bytes, as: UTF8.self))
    }
    return unsafe XMLName(
      String(decoding: bytes[(separator + 1)...], as: UTF8.self),
      namespace: KnownNames.shared.namespace(UnsafeBufferPointer(rebasing: bytes[..<separator])))
  }
}

/// `S` (XML 1.0 §2.3).
func isWhiteSpace(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x9 || byte == 0xA || byte == 0xD
}
