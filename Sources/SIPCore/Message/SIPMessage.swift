package struct SIPRequest: Sendable {
  package var method: Method
  /// The Request-URI as on the wire: a remote target is sent back to the letter.
  package var uriText: String
  package var headers: SIPHeaders
  package var body: [UInt8]

  package init(_ method: Method, uriText: String, headers: SIPHeaders = .init(), body: [UInt8] = []) {
    self.method = method
    self.uriText = uriText
    self.headers = headers
    self.body = body
  }

  /// `nil` for another scheme.
  package var uri: SIPURI? { SIPURI(uriText) }

  package func write(to bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + 1024 + body.count)
    bytes.append(contentsOf: method.name.utf8)
    bytes.append(ASCII.space)
    // Nothing in a URI can end the line or begin another word of it.
    for byte in uriText.utf8 { bytes.append(byte > 0x20 && byte != 0x7F ? byte : UInt8(ascii: "_")) }
    bytes.append(contentsOf: " SIP/2.0\r\n".utf8)
    SIPMessage.write(headers, body, to: &bytes)
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }
}

package struct SIPResponse: Sendable {
  package var status: Int
  package var reason: String
  package var headers: SIPHeaders
  package var body: [UInt8]

  package init(_ status: Int, reason: String? = nil, headers: SIPHeaders = .init(), body: [UInt8] = []) {
    self.status = status
    self.reason = reason ?? Status.phrase(status)
    self.headers = headers
    self.body = body
  }

  package var isProvisional: Bool { status < 200 }
  package var isSuccess: Bool { status / 100 == 2 }

  package func write(to bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + 1024 + body.count)
    bytes.append(contentsOf: "SIP/2.0 \(status) ".utf8)
    for byte in reason.utf8 { bytes.append(byte < 0x20 || byte == 0x7F ? ASCII.space : byte) }
    bytes.append(ASCII.cr)
    bytes.append(ASCII.lf)
    SIPMessage.write(headers, body, to: &bytes)
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }
}

package enum SIPMessage: Sendable {
  case request(SIPRequest)
  case response(SIPResponse)

  package var headers: SIPHeaders {
    switch self {
    case .request(let request): request.headers
    case .response(let response): response.headers
    }
  }

  fileprivate static func write(_ headers: SIPHeaders, _ body: [UInt8], to bytes: inout [UInt8]) {
    headers.write(to: &bytes)
    bytes.append(contentsOf: "Content-Length: ".utf8)
    bytes.append(contentsOf: String(body.count).utf8)
    bytes.append(contentsOf: "\r\n\r\n".utf8)
    bytes.append(contentsOf: body)
  }
}
