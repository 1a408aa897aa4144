/// A request's method. Case-sensitive (RFC 3261 §7.1).
package enum Method: Hashable, Sendable {
  case invite, ack, bye, cancel, options, message, info, register, subscribe, notify, publish, refer, prack, update
  /// Microsoft's NOTIFY that expects no response.
  case benotify
  /// Microsoft's compression offer at the start of a connection.
  case negotiate
  case other(String)

  package var name: String {
    switch self {
    case .invite: "INVITE"
    case .ack: "ACK"
    case .bye: "BYE"
    case .cancel: "CANCEL"
    case .options: "OPTIONS"
    case .message: "MESSAGE"
    case .info: "INFO"
    case .register: "REGISTER"
    case .subscribe: "SUBSCRIBE"
    case .notify: "NOTIFY"
    case .publish: "PUBLISH"
    case .refer: "REFER"
    case .prack: "PRACK"
    case .update: "UPDATE"
    case .benotify: "BENOTIFY"
    case .negotiate: "NEGOTIATE"
    case .other(let name): name
    }
  }

  package init(_ name: String) {
    self =
      switch name {
      case "INVITE": .invite
      case "ACK": .ack
      case "BYE": .bye
      case "CANCEL": .cancel
      case "OPTIONS": .options
      case "MESSAGE": .message
      case "INFO": .info
      case "REGISTER": .register
      case "SUBSCRIBE": .subscribe
      case "NOTIFY": .notify
      case "PUBLISH": .publish
      case "REFER": .refer
      case "PRACK": .prack
      case "UPDATE": .update
      case "BENOTIFY": .benotify
      case "NEGOTIATE": .negotiate
      default: .other(name)
      }
  }

  /// `nil` where the bytes are no token.
  init?(parsing bytes: ArraySlice<UInt8>) {
    guard !bytes.isEmpty, bytes.allSatisfy(ASCII.isToken) else { return nil }
    self.init(String(header: bytes))
  }
}

extension Method: CustomStringConvertible {
  package var description: String { name }
}
