import BrokerCore
import SIPCore

/// What the body of a MESSAGE or INFO says.
enum IncomingBody {
  case text(String)
  case typing(Signal.Kind)
  /// Nothing that anybody could read or see.
  case nothing

  /// What we take; goes out as Accept with a 415.
  static let accepted = "text/plain, message/cpim, application/im-iscomposing+xml"

  init(message request: SIPRequest) throws(SIPDefect) {
    try Self.refuseEncoding(request)
    guard let value = request.headers.first(.contentType) else {
      guard request.body.isEmpty else { throw SIPDefect("Missing Content-Type") }
      self = .nothing
      return
    }
    guard let type = MediaType(parsing: value) else { throw SIPDefect("Malformed Content-Type") }
    self = try Self.read(type, request.body)
  }

  init(info request: SIPRequest) throws(SIPDefect) {
    try Self.refuseEncoding(request)
    guard let value = request.headers.first(.contentType) else {
      guard request.body.isEmpty else { throw SIPDefect("Missing Content-Type") }
      self = .nothing
      return
    }
    guard let type = MediaType(parsing: value) else { throw SIPDefect("Malformed Content-Type") }
    switch type.essence {
    case "application/xml", "text/xml":
      switch Typing(keyboardActivity: request.body) {
      case .composing: self = .typing(.composing)
      case .idle: self = .typing(.paused)
      case nil: self = .nothing
      }
    // A change of the conversation's subject (Microsoft): nothing to show for it on the other side.
    case "application/xml+conversationinfo": self = .nothing
    case "application/im-iscomposing+xml": self = try Self.read(type, request.body)
    default: throw SIPDefect(415, Status.phrase(415))
    }
  }

  private static func read(_ type: MediaType, _ body: [UInt8]) throws(SIPDefect) -> IncomingBody {
    switch type.essence {
    case "text/plain":
      let text = try TextBody.decode(body, charset: type.parameter("charset"))
      return text.isEmpty ? .nothing : .text(text)
    case "message/cpim":
      let content = try CPIM.unwrap(body)
      guard content.type.essence != "message/cpim" else { throw SIPDefect(415, "Nested CPIM") }
      return try read(content.type, content.body)
    case "application/im-iscomposing+xml":
      guard let typing = Typing(isComposing: body) else { throw SIPDefect("Malformed isComposing") }
      // RFC 7573 §6 Table 3.
      switch typing {
      case .composing: return .typing(.composing)
      case .idle: return .typing(.active)
      }
    default:
      throw SIPDefect(415, Status.phrase(415))
    }
  }

  private static func refuseEncoding(_ request: SIPRequest) throws(SIPDefect) {
    guard let encoding = request.headers.string(.contentEncoding) else { return }
    guard encoding.asciiLowercased == "identity" else { throw SIPDefect(415, "Unsupported Content-Encoding") }
  }
}
