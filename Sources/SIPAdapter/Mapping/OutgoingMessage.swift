import BrokerCore
import SIPCore

/// An entry of the broker as the content of a MESSAGE (RFC 7572 Table 1).
struct OutgoingMessage {
  var body: [UInt8]
  var subject: String?
  var language: String?
  /// Of the conversation.
  var thread: String?
  /// When the gateway accepted it.
  var date: Timestamp

  init(_ entry: Entry) {
    date = entry.accepted
    switch entry.content {
    case .message(let message):
      body = Array(message.body.utf8)
      subject = message.subject
      language = message.language.flatMap(Self.languageTag)
      thread = message.thread
    case .failure(let report):
      body = Array(Self.notice(report).utf8)
      thread = report.thread
    }
  }

  /// Tells the platform's user, in the conversation itself, that what had been accepted did not arrive.
  private static func notice(_ report: FailureReport) -> String {
    let time = SIPDate.timeOfDay(seconds: report.accepted.milliseconds / 1000)
    return "Your message of \(time) UTC was not delivered: \(report.error.text)"
  }

  /// BCP 47: letters, digits and hyphens; anything else is no language.
  private static func languageTag(_ text: String) -> String? {
    let isTag = text.utf8.allSatisfy {
      $0 == 0x2D || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26
    }
    return isTag && !text.isEmpty && text.utf8.count <= 64 ? text : nil
  }

  /// Everything but what identifies transaction and dialog.
  func fill(_ request: inout SIPRequest) {
    request.headers.append(.date, SIPDate.format(seconds: date.milliseconds / 1000))
    if let subject, !subject.isEmpty { request.headers.append(.subject, subject) }
    if let language { request.headers.append(.contentLanguage, language) }
    request.headers.append(.contentType, "text/plain;charset=UTF-8")
    request.body = body
  }

  /// A thread that can be a Call-ID is one (RFC 7572 §4).
  var callID: String? {
    guard let thread, (1...128).contains(thread.utf8.count) else { return nil }
    let isWord = thread.utf8.allSatisfy { byte in
      byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || "-.!%*_+`'~@".utf8.contains(byte)
    }
    return isWord && thread.utf8.count(where: { $0 == 0x40 }) <= 1 && thread.first != "@" && thread.last != "@"
      ? thread : nil
  }
}
