/// Whether somebody is writing, in the two forms SIP has for it.
///
/// Both are a few elements of XML whose only news is one word, so the word is looked for and nothing is parsed: no
/// entity, no namespace, no depth.
package enum Typing: Sendable {
  case composing
  case idle

  /// `<KeyboardActivity><status status="type" /></KeyboardActivity>` in an INFO (Microsoft).
  package init?(keyboardActivity body: [UInt8]) {
    guard body.count <= Self.maximumBody, Self.find("KeyboardActivity", in: body[...]) != nil,
      let element = Self.find("<status", in: body[...]),
      let attribute = Self.find("status=", in: body[element...])
    else { return nil }
    let value = body[attribute...].dropFirst().prefix { $0 != ASCII.quote && $0 != UInt8(ascii: "'") }
    if value.elementsEqual("type".utf8) {
      self = .composing
    } else if value.elementsEqual("idle".utf8) {
      self = .idle
    } else {
      return nil
    }
  }

  /// `<isComposing …><state>active</state></isComposing>` (RFC 3994 §3).
  package init?(isComposing body: [UInt8]) {
    guard body.count <= Self.maximumBody, Self.find("isComposing", in: body[...]) != nil,
      let state = Self.find("state>", in: body[...])
    else { return nil }
    let value = ASCII.trimmed(body[state...].prefix { $0 != ASCII.less })
    // RFC 3994 §3.2: a state that is not known reads as idle.
    self = value.elementsEqual("active".utf8) ? .composing : .idle
  }

  /// Neither form comes near this size.
  package static let maximumBody = 4096

  package var keyboardActivity: [UInt8] {
    let status =
      switch self {
      case .composing: "type"
      case .idle: "idle"
      }
    return Array(
      "<?xml version=\"1.0\"?><KeyboardActivity><status status=\"\(status)\" /></KeyboardActivity>".utf8)
  }

  /// The index behind the first occurrence of `text`.
  private static func find(_ text: StaticString, in bytes: ArraySlice<UInt8>) -> Int? {
    let length = text.utf8CodeUnitCount
    guard bytes.count >= length else { return nil }
    for start in bytes.startIndex...(bytes.endIndex - length) {
      var matched = 0
      while matched < length, unsafe bytes[start + matched] == text.utf8Start[matched] { matched += 1 }
      if matched == length { return start + length }
    }
    return nil
  }
}
