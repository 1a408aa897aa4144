/// Text that a body carries, as characters.
package enum TextBody {
  /// `charset` as in Content-Type; none means UTF-8 (RFC 3261 §7.3.1, §20.15). Bytes that are not of their character
  /// set are refused: half-read text is worse than an error.
  package static func decode(_ body: [UInt8], charset: String?) throws(SIPDefect) -> String {
    switch charset?.asciiLowercased {
    case nil, "utf-8", "utf8":
      guard let text = String(validating: body, as: UTF8.self) else { throw SIPDefect(415, "Body is not UTF-8") }
      // A byte order mark is no character of the message.
      return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    case "us-ascii", "ascii":
      guard body.allSatisfy({ $0 < 0x80 }) else { throw SIPDefect(415, "Body is not US-ASCII") }
      return String(decoding: body, as: UTF8.self)
    case "iso-8859-1", "latin1":
      var scalars = String.UnicodeScalarView()
      scalars.append(contentsOf: body.lazy.map { Unicode.Scalar($0) })
      return String(scalars)
    default:
      throw SIPDefect(415, "Unsupported charset")
    }
  }
}
