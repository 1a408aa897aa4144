/// The header fields without which a message has no place in a transaction (RFC 3261 §8.1.1), understood and checked.
package struct Essentials: Sendable {
  /// The topmost one.
  package var via: Via
  package var from: NameAddr
  package var to: NameAddr
  package var callID: String
  package var cSeq: CSeq
  /// RFC 3261 §20.22; 70 where an old sender left it out. Meaningless in a response.
  package var maxForwards: Int

  package var fromTag: String { from.tag ?? "" }
  package var toTag: String? { to.tag }

  fileprivate init(_ headers: SIPHeaders) throws(SIPDefect) {
    guard let topmost = headers.list(.via).first else { throw SIPDefect("Missing Via") }
    guard let via = Via(parsing: topmost) else { throw SIPDefect("Malformed Via") }
    self.via = via
    from = try Self.address(headers, .from)
    to = try Self.address(headers, .to)
    let callID = try Self.single(headers, .callID)
    guard !callID.isEmpty, callID.allSatisfy({ ASCII.isWord($0) || $0 == ASCII.at }) else {
      throw SIPDefect("Malformed Call-ID")
    }
    self.callID = String(header: callID)
    guard let cSeq = CSeq(parsing: try Self.single(headers, .cSeq)) else { throw SIPDefect("Malformed CSeq") }
    self.cSeq = cSeq
    maxForwards = 70
    if headers.contains(.maxForwards) {
      guard let number: UInt8 = ASCII.number(try Self.single(headers, .maxForwards)) else {
        throw SIPDefect("Malformed Max-Forwards")
      }
      maxForwards = Int(number)
    }
  }

  /// RFC 4475 §3.3.8: fields that carry one value and stand once.
  private static func single(_ headers: SIPHeaders, _ name: HeaderName) throws(SIPDefect) -> ArraySlice<UInt8> {
    guard let value = headers.first(name) else { throw SIPDefect("Missing \(name.spelling)") }
    guard headers.count(of: name) == 1 else { throw SIPDefect("Multiple \(name.spelling)") }
    return value
  }

  private static func address(_ headers: SIPHeaders, _ name: HeaderName) throws(SIPDefect) -> NameAddr {
    guard let address = NameAddr(parsing: try single(headers, name)) else {
      throw SIPDefect("Malformed \(name.spelling)")
    }
    return address
  }
}

extension SIPRequest {
  package func essentials() throws(SIPDefect) -> Essentials {
    let essentials = try Essentials(headers)
    guard essentials.cSeq.method == method else { throw SIPDefect("CSeq method does not match") }
    return essentials
  }
}

extension SIPResponse {
  package func essentials() throws(SIPDefect) -> Essentials { try Essentials(headers) }
}
