/// The header fields this module gives a name to. All others are kept under `other`, spelled as they came.
package enum HeaderName: UInt8, CaseIterable, Sendable {
  case other
  case accept, acceptEncoding, acceptLanguage, allow, allowEvents, callID, contact, contentDisposition
  case contentEncoding, contentLanguage, contentLength, contentType, cSeq, date, event, expires, from, maxForwards
  case mimeVersion, minExpires, msConversationID, msTextFormat, pAssertedIdentity, proxyAuthenticate, proxyRequire
  case reason, recordRoute, referTo, replyTo, require, retryAfter, route, server, sessionExpires, subject
  case subscriptionState, supported, timestamp, to, unsupported, userAgent, via, warning, wwwAuthenticate

  /// As this gateway writes it.
  package var spelling: String {
    switch self {
    case .other: ""
    case .accept: "Accept"
    case .acceptEncoding: "Accept-Encoding"
    case .acceptLanguage: "Accept-Language"
    case .allow: "Allow"
    case .allowEvents: "Allow-Events"
    case .callID: "Call-ID"
    case .contact: "Contact"
    case .contentDisposition: "Content-Disposition"
    case .contentEncoding: "Content-Encoding"
    case .contentLanguage: "Content-Language"
    case .contentLength: "Content-Length"
    case .contentType: "Content-Type"
    case .cSeq: "CSeq"
    case .date: "Date"
    case .event: "Event"
    case .expires: "Expires"
    case .from: "From"
    case .maxForwards: "Max-Forwards"
    case .mimeVersion: "MIME-Version"
    case .minExpires: "Min-Expires"
    case .msConversationID: "Ms-Conversation-ID"
    case .msTextFormat: "ms-text-format"
    case .pAssertedIdentity: "P-Asserted-Identity"
    case .proxyAuthenticate: "Proxy-Authenticate"
    case .proxyRequire: "Proxy-Require"
    case .reason: "Reason"
    case .recordRoute: "Record-Route"
    case .referTo: "Refer-To"
    case .replyTo: "Reply-To"
    case .require: "Require"
    case .retryAfter: "Retry-After"
    case .route: "Route"
    case .server: "Server"
    case .sessionExpires: "Session-Expires"
    case .subject: "Subject"
    case .subscriptionState: "Subscription-State"
    case .supported: "Supported"
    case .timestamp: "Timestamp"
    case .to: "To"
    case .unsupported: "Unsupported"
    case .userAgent: "User-Agent"
    case .via: "Via"
    case .warning: "Warning"
    case .wwwAuthenticate: "WWW-Authenticate"
    }
  }

  /// RFC 3261 §7.3.3 and the later registrations of single letters.
  private static func compact(_ letter: UInt8) -> HeaderName? {
    switch ASCII.lowercased(letter) {
    case UInt8(ascii: "c"): .contentType
    case UInt8(ascii: "e"): .contentEncoding
    case UInt8(ascii: "f"): .from
    case UInt8(ascii: "i"): .callID
    case UInt8(ascii: "k"): .supported
    case UInt8(ascii: "l"): .contentLength
    case UInt8(ascii: "m"): .contact
    case UInt8(ascii: "o"): .event
    case UInt8(ascii: "r"): .referTo
    case UInt8(ascii: "s"): .subject
    case UInt8(ascii: "t"): .to
    case UInt8(ascii: "u"): .allowEvents
    case UInt8(ascii: "v"): .via
    case UInt8(ascii: "x"): .sessionExpires
    default: nil
    }
  }

  /// The field that `bytes` spell, in any case and in long or compact form.
  init(parsing bytes: ArraySlice<UInt8>) {
    self = .other
    if bytes.count == 1, let first = bytes.first {
      self = Self.compact(first) ?? .other
      return
    }
    guard bytes.count < Self.byLength.count else { return }
    for candidate in Self.byLength[bytes.count] where Self.matches(bytes, candidate.lowered) {
      self = candidate.name
      return
    }
  }

  private static func matches(_ bytes: ArraySlice<UInt8>, _ lowered: [UInt8]) -> Bool {
    var index = bytes.startIndex
    for byte in lowered {
      if ASCII.lowercased(bytes[index]) != byte { return false }
      index += 1
    }
    return true
  }

  /// Spellings in lower case, at the index of their length.
  private static let byLength: [[(name: HeaderName, lowered: [UInt8])]] = {
    var table: [[(name: HeaderName, lowered: [UInt8])]] = []
    for name in allCases where name != .other {
      let lowered = name.spelling.utf8.map(ASCII.lowercased)
      while table.count <= lowered.count { table.append([]) }
      table[lowered.count].append((name, lowered))
    }
    return table
  }()

  static let spellings: [[UInt8]] = allCases.map { Array($0.spelling.utf8) }
}
