/// What stream and document parser share: scanner, Expat, builder, and the renewal of Expat.
struct XMLEngine: ~Copyable {
  private let builder: TreeBuilder
  private var scanner = TokenScanner()
  /// Made with the first byte: a connection that says nothing costs nothing.
  private var expat: ExpatParser?
  /// Bytes given to this Expat: its indices count from the first.
  private var fed = 0
  /// The beginning of a token whose end has not come.
  private var held: [UInt8] = []
  /// The start tag of the root as it came.
  private var header: [UInt8] = []
  private var failure: XMLStreamError?

  /// Bytes handled at a time. Expat keeps a buffer of twice this.
  private static let portion = 2_048
  /// Names that we do not know may cost Expat this much before it is renewed.
  private static let wearLimit = 16_384
  /// Larger buffers are given back after use.
  private static let keptBytes = 1_024

  init(mode: TreeBuilder.Mode, limits: XMLLimits) {
    builder = TreeBuilder(mode: mode, limits: limits)
  }

  var limits: XMLLimits {
    get { builder.limits }
    set { builder.limits = newValue }
  }

  mutating func feed(
    _ bytes: UnsafeBufferPointer<UInt8>, into events: inout [XMLStreamEvent]
  ) throws(XMLStreamError) {
    if let failure { throw failure }
    // The builder appends to the caller's array itself, without a copy.
    swap(&events, &builder.events)
    defer { swap(&events, &builder.events) }
    do throws(XMLStreamError) {
      var start = 0
      while start < bytes.count {
        let end = min(start + Self.portion, bytes.count)
        try unsafe take(UnsafeBufferPointer(rebasing: bytes[start..<end]))
        start = end
      }
    } catch {
      failure = error
      release()
      throw error
    }
  }

  private mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLStreamError) {
    if builder.isClosed { return try unsafe expectWhiteSpace(bytes) }
    let outcome = unsafe scanner.scan(bytes, tokenLimit: min(limits.tokenBytes, limits.bytes))
    var from = outcome.skipped
    if !held.isEmpty, outcome.firstEnd > 0 {
      unsafe held.append(contentsOf: bytes[from..<outcome.firstEnd])
      from = outcome.firstEnd
      let token = held
      held = []
      try parse(token)
      if token.capacity <= Self.keptBytes { held.reserveCapacity(token.capacity) }
    }
    if from < outcome.complete { try unsafe parse(UnsafeBufferPointer(rebasing: bytes[from..<outcome.complete])) }
    let rest = max(from, outcome.complete)
    if builder.isClosed { return try unsafe expectWhiteSpace(UnsafeBufferPointer(rebasing: bytes[rest...])) }

    // The error stands behind the limit if the unfinished element has outgrown it by then.
    try checkUnfinished((outcome.error?.index ?? bytes.count) - rest)
    if let error = outcome.error { throw error.reason }
    let waiting = held.count + bytes.count - rest
    if waiting > Self.keptBytes, limits.tokenBytes <= Self.portion { held.reserveCapacity(limits.tokenBytes) }
    unsafe held.append(contentsOf: bytes[rest...])
    try renewIfWorn()
  }

  /// - Parameter more: bytes of the unfinished token that are not in `held` yet.
  private func checkUnfinished(_ more: Int) throws(XMLStreamError) {
    if builder.isBetweenElements { return }
    let length = fed - builder.elementStart + held.count + more
    if length > limits.bytes { throw .limitExceeded(.bytes, limits.bytes) }
  }

  private mutating func parse(_ token: [UInt8]) throws(XMLStreamError) {
    let result: Result<Void, XMLStreamError> = unsafe token.withUnsafeBufferPointer { bytes in
      do throws(XMLStreamError) {
        try unsafe parse(bytes)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  private mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLStreamError) {
    if expat == nil {
      guard let created = ExpatParser(builder: builder) else { throw .outOfMemory }
      expat = consume created
    }
    let before = fed
    fed += bytes.count
    do throws(XMLStreamError) {
      try unsafe expat?.parse(bytes)
    } catch {
      // Whatever Expat says of what follows the end: it is that there is something.
      throw builder.isClosed ? .afterEnd : error
    }
    if header.isEmpty, let range = builder.headerRange {
      header = unsafe Array(bytes[(range.lowerBound - before)..<(range.upperBound - before)])
    }
    if let end = builder.closedAt {
      try unsafe expectWhiteSpace(UnsafeBufferPointer(rebasing: bytes[(end - before)...]))
    }
  }

  private func expectWhiteSpace(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLStreamError) {
    if unsafe !bytes.allSatisfy(isWhiteSpace) { throw .afterEnd }
  }

  /// Expat remembers every name and prefix, and keeps its largest buffers, for as long as it lives; a peer that goes on
  /// inventing names would fill the memory. So a worn Expat is replaced between two stanzas by a fresh one that has
  /// read the same stream header.
  private mutating func renewIfWorn() throws(XMLStreamError) {
    guard builder.wear >= Self.wearLimit, builder.isBetweenElements, !header.isEmpty else { return }
    expat = nil
    fed = 0
    builder.beginReplay()
    try parse(header)
  }

  /// After an error nothing is kept: the connection may stay for a while to tell the peer.
  private mutating func release() {
    expat = nil
    held = []
    header = []
    builder.abandon()
  }
}
