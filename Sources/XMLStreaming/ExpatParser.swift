internal import CExpat

/// Owns one Expat parser. It lives until its owner lets go, which is never inside a callback: freeing or resetting there
/// is how CVE-2022-43680 and its kin work.
@safe
struct ExpatParser: ~Copyable {
  private let parser: XML_Parser
  private let builder: TreeBuilder

  /// - Returns: `nil` when there is no memory.
  init?(builder: TreeBuilder) {
    // Explicitly UTF-8, whatever the document says of itself; the builder compares the declaration.
    guard let parser = unsafe XML_ParserCreateNS("UTF-8", XML_Char(bitPattern: KnownNames.separator)) else {
      return nil
    }
    unsafe self.parser = parser
    self.builder = builder

    // We hand over whole tokens only (see TokenScanner), so an event must not wait for more bytes.
    _ = unsafe XML_SetReparseDeferralEnabled(parser, XML_Bool(XML_FALSE))
    // Hash flooding: CVE-2012-0876.
    _ = unsafe XML_SetHashSalt(parser, UInt.random(in: 1...UInt.max))
    unsafe XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
    setHandlers()
  }

  deinit { unsafe XML_ParserFree(parser) }

  /// Reports everything in `bytes` to the builder.
  func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLStreamError) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    unsafe builder.expat = parser
    let status = unsafe XML_Parse(
      parser, UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), Int32(bytes.count), 0)
    unsafe builder.expat = nil
    if let failure = builder.failure { throw failure }
    if status != XML_STATUS_OK { throw unsafe Self.error(XML_GetErrorCode(parser)) }
  }

  private static func error(_ code: XML_Error) -> XMLStreamError {
    switch code {
    case XML_ERROR_NO_MEMORY: .outOfMemory
    case XML_ERROR_UNDEFINED_ENTITY, XML_ERROR_RECURSIVE_ENTITY_REF, XML_ERROR_ASYNC_ENTITY,
      XML_ERROR_BINARY_ENTITY_REF, XML_ERROR_ATTRIBUTE_EXTERNAL_ENTITY_REF, XML_ERROR_EXTERNAL_ENTITY_HANDLING:
      .restrictedXML("an entity that is not predefined")
    case XML_ERROR_MISPLACED_XML_PI: .restrictedXML("an XML declaration inside the stream")
    case XML_ERROR_UNKNOWN_ENCODING, XML_ERROR_INCORRECT_ENCODING: .unsupportedEncoding("not UTF-8")
    case XML_ERROR_AMPLIFICATION_LIMIT_BREACH: .restrictedXML("entity amplification")
    default:
      if let text = unsafe XML_ErrorString(code) {
        unsafe .notWellFormed(String(cString: text))
      } else {
        .notWellFormed("error \(code.rawValue)")
      }
    }
  }

  private func setHandlers() {
    unsafe XML_SetElementHandler(
      parser,
      { context, name, attributes in
        guard let name = unsafe name, let attributes = unsafe attributes else { return }
        unsafe ExpatParser.report(context) { builder, start, end in
          unsafe builder.start(name: name, attributes: attributes, from: start, to: end)
        }
      },
      { context, _ in
        unsafe ExpatParser.report(context) { builder, _, end in builder.end(to: end) }
      })
    unsafe XML_SetCharacterDataHandler(parser) { context, text, length in
      guard let text = unsafe text, length > 0 else { return }
      unsafe ExpatParser.report(context) { builder, _, end in
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: Int(length))
        unsafe builder.characters(bytes.assumingMemoryBound(to: UInt8.self), to: end)
      }
    }
    unsafe XML_SetStartNamespaceDeclHandler(parser) { context, prefix, uri in
      unsafe ExpatParser.report(context) { builder, _, _ in unsafe builder.namespace(prefix: prefix, uri: uri) }
    }
    unsafe XML_SetXmlDeclHandler(parser) { context, version, encoding, standalone in
      unsafe ExpatParser.report(context) { builder, _, _ in
        unsafe builder.declaration(
          version: version.map { unsafe String(cString: $0) }, encoding: encoding.map { unsafe String(cString: $0) },
          standalone: standalone)
      }
    }
    setRefusals()
  }

  /// RFC 6120 §11.1. The scanner lets none of these through but a processing instruction in front of the root; what
  /// it might miss ends here.
  private func setRefusals() {
    unsafe XML_SetCommentHandler(parser) { context, _ in unsafe ExpatParser.refuse(context, "a comment") }
    unsafe XML_SetProcessingInstructionHandler(parser) { context, _, _ in
      unsafe ExpatParser.refuse(context, "a processing instruction")
    }
    unsafe XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
      unsafe ExpatParser.refuse(context, "a document type declaration")
    }
    unsafe XML_SetEntityDeclHandler(parser) { context, _, _, _, _, _, _, _, _ in
      unsafe ExpatParser.refuse(context, "an entity declaration")
    }
  }

  private static func refuse(_ context: UnsafeMutableRawPointer?, _ what: String) {
    unsafe report(context) { builder, _, _ in builder.fail(.restrictedXML(what)) }
  }

  /// Calls the builder with where the current token begins and ends, and stops Expat at the first failure. Expat may
  /// still report a little after that; it is not passed on.
  @inline(__always)
  private static func report(_ context: UnsafeMutableRawPointer?, _ body: (TreeBuilder, Int, Int) -> Void) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<TreeBuilder>.fromOpaque(context)._withUnsafeGuaranteedRef { builder in
      guard let parser = unsafe builder.expat, builder.failure == nil else { return }
      let start = unsafe Int(XML_GetCurrentByteIndex(parser))
      body(builder, start, unsafe start + Int(XML_GetCurrentByteCount(parser)))
      if builder.failure != nil { _ = unsafe XML_StopParser(parser, XML_Bool(XML_FALSE)) }
    }
  }
}
