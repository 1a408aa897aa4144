import Foundation

/// A SIP message as text: what a simple user agent needs of RFC 3261 §7, no more.
package struct SIPText: Sendable {
  package var startLine: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(_ startLine: String, _ headers: [(name: String, value: String)], body: [UInt8] = []) {
    self.startLine = startLine
    self.headers = headers
    self.body = body
  }

  private static let compact = [
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
    "k": "supported", "s": "subject", "o": "event",
  ]

  /// - Returns: the message and how many bytes it took; nil while it is not whole.
  static func parse(_ bytes: [UInt8]) -> (message: SIPText, length: Int)? {
    let blank: [UInt8] = [13, 10, 13, 10]
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: blank) }) else { return nil }
    var lines: [String] = []
    for line in String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n") {
      if line.first == " " || line.first == "\t", !lines.isEmpty {
        lines[lines.count - 1] += " " + line.trimmingCharacters(in: .whitespaces)
      } else {
        lines.append(line)
      }
    }
    let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let name = line[..<colon].trimmingCharacters(in: .whitespaces)
      return (name, line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
    }
    var message = SIPText(lines.first ?? "", headers)
    let start = end + blank.count
    let length = message["content-length"].flatMap(Int.init) ?? 0
    guard bytes.count >= start + length else { return nil }
    message.body = Array(bytes[start..<start + length])
    return (message, start + length)
  }

  /// The first header of that name, in any case or compact form.
  package subscript(_ name: String) -> String? { values(name).first }

  package func values(_ name: String) -> [String] {
    headers.filter { header in
      let own = header.name.lowercased()
      return (Self.compact[own] ?? own) == name.lowercased()
    }.map(\.value)
  }

  /// nil for a response.
  package var method: String? {
    startLine.hasPrefix("SIP/2.0 ") ? nil : startLine.split(separator: " ").first.map(String.init)
  }

  /// nil for a request.
  package var status: Int? {
    startLine.hasPrefix("SIP/2.0 ") ? startLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } : nil
  }

  package var text: String { String(decoding: body, as: UTF8.self) }

  /// `sip:user@host` out of a From or To value.
  package static func uri(_ value: String?) -> String? {
    guard let value else { return nil }
    if let open = value.firstIndex(of: "<"), let close = value[open...].firstIndex(of: ">") {
      return String(value[value.index(after: open)..<close])
    }
    return value.split(separator: ";").first.map(String.init)
  }

  var encoded: [UInt8] {
    let lines = [startLine] + headers.map { "\($0.name): \($0.value)" } + ["Content-Length: \(body.count)", "", ""]
    return Array(lines.joined(separator: "\r\n").utf8) + body
  }

  /// A response with the headers that RFC 3261 §8.2.6.2 has copied.
  func reply(_ status: Int, _ reason: String, tag: String, more: [(name: String, value: String)] = []) -> SIPText {
    var copied = values("via").map { (name: "Via", value: $0) }
    copied.append(("From", self["from"] ?? ""))
    let to = self["to"] ?? ""
    copied.append(("To", to.contains("tag=") || status == 100 ? to : "\(to);tag=\(tag)"))
    copied.append(("Call-ID", self["call-id"] ?? ""))
    copied.append(("CSeq", self["cseq"] ?? ""))
    return SIPText("SIP/2.0 \(status) \(reason)", copied + more)
  }

  /// A user part as RFC 3261 §25.1 lets it stand in a URI.
  package static func escape(user: String) -> String {
    let allowed = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,;?/")
    return user.addingPercentEncoding(withAllowedCharacters: allowed) ?? user
  }
}
