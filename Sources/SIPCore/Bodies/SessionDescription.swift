/// As much of SDP (RFC 4566, RFC 3264) as an instant message session needs: media lines and their `accept-types`.
///
/// Skype for Business offers `m=message 5060 sip null`, its ancestors `m=x-ms-message …`; text then travels as MESSAGE
/// inside the INVITE's dialog and the port means nothing.
package struct SessionDescription: Hashable, Sendable {
  package struct Media: Hashable, Sendable {
    package var kind: String
    package var port: String
    package var transport: String
    package var formats: String
    /// Of `a=accept-types:`; empty where there is none.
    package var acceptTypes: [String]
  }

  /// The most media lines that are looked at; an offer of more is refused.
  package static let maximumMedia = 16

  package var media: [Media]

  /// `nil` where the text is no session description.
  package init?(_ body: [UInt8]) {
    guard let text = String(validating: body, as: UTF8.self) else { return nil }
    media = []
    var hasVersion = false
    for line in text.split(whereSeparator: \.isNewline) {
      let value = line.dropFirst(2)
      if line.hasPrefix("v=") {
        guard value == "0" else { return nil }
        hasVersion = true
      } else if line.hasPrefix("m=") {
        let parts = value.split(separator: " ", maxSplits: 3)
        guard hasVersion, parts.count >= 3, media.count < Self.maximumMedia else { return nil }
        media.append(
          Media(
            kind: String(parts[0]).asciiLowercased, port: String(parts[1]), transport: String(parts[2]).asciiLowercased,
            formats: parts.count > 3 ? String(parts[3]) : "", acceptTypes: []))
      } else if line.hasPrefix("a=accept-types:"), let last = media.indices.last {
        media[last].acceptTypes = line.dropFirst("a=accept-types:".count).split(separator: " ").map {
          String($0).asciiLowercased
        }
      }
    }
    guard hasVersion else { return nil }
  }

  /// Which media line we can serve: instant messages inside the dialog, taking plain text. `nil`: answer 488.
  package var messageLine: Int? {
    media.firstIndex { line in
      (line.kind == "message" || line.kind == "x-ms-message") && line.transport == "sip"
        && (line.acceptTypes.isEmpty
          || line.acceptTypes.contains { ["text/plain", "text/*", "*", "*/*"].contains($0) })
    }
  }

  /// What we take in a session.
  private static let acceptTypes = "text/plain application/im-iscomposing+xml"

  /// An offer of our own.
  package static func offer(host: String) -> [UInt8] {
    Array((head(host: host) + "m=message 5060 sip null\r\na=accept-types:\(acceptTypes)\r\n").utf8)
  }

  /// The answer to this offer: our line is taken, every other one refused with port 0 (RFC 3264 §6).
  package func answer(host: String, localURI: String) -> [UInt8]? {
    guard let chosen = messageLine else { return nil }
    var text = Self.head(host: host)
    for (index, line) in media.enumerated() {
      if index == chosen {
        text += "m=\(line.kind) 5060 sip \(localURI)\r\na=accept-types:\(Self.acceptTypes)\r\n"
      } else {
        text += "m=\(line.kind) 0 \(line.transport) \(line.formats)\r\n"
      }
    }
    return Array(text.utf8)
  }

  private static func head(host: String) -> String {
    let isIPv6 = host.utf8.contains(ASCII.colon)
    let address = isIPv6 ? host.filter { $0 != "[" && $0 != "]" } : host
    let network = isIPv6 ? "IN IP6" : "IN IP4"
    return "v=0\r\no=- 0 0 \(network) \(address)\r\ns=session\r\nc=\(network) \(address)\r\nt=0 0\r\n"
  }
}
