import Foundation

/// A person at a SIP phone or client behind a registrar: registers, writes page-mode messages (RFC 3428), reads.
package final class SIPUser: @unchecked Sendable {
  package struct Heard: Sendable {
    package let message: SIPText
    package let at: ContinuousClock.Instant
    package var text: String { message.text }
    /// The URI of the From header, to answer to.
    package var fromURI: String { SIPText.uri(message["from"]) ?? "" }
    /// The same without parameters: `sip:user@domain`.
    package var from: String { fromURI.split(separator: ";").first.map(String.init) ?? "" }
  }

  package struct Reply: Sendable {
    package let status: Int
    package let reason: String
    package let message: SIPText
    package let at: ContinuousClock.Instant
  }

  package enum Transport: Sendable { case udp, tcp }

  /// `sip:romeo@corp.test`, user part escaped.
  package let address: String
  /// What is said to a MESSAGE; nil: nothing, as a phone that hangs. 200 at first.
  package var answer: (@Sendable (SIPText) -> (status: Int, reason: String)?) {
    get { lock.withLock { answering } }
    set { lock.withLock { answering = newValue } }
  }
  /// Requests that came, each once however often it was retransmitted.
  package let requests = Inbox<Heard>()

  private let lock = NSLock()
  private var answering: @Sendable (SIPText) -> (status: Int, reason: String)? = { _ in (200, "OK") }
  private var answered: [String: [UInt8]] = [:]
  private let responses = Inbox<Reply>()
  private var channel: SIPChannel!
  private let tag = SIPUser.token()
  private let user: String
  private let domain: String
  private var sequence = 0

  /// Registers at the registrar on `port`.
  /// - Parameters:
  ///   - user: the real characters: `o'malley`, `jörg`, `a b`.
  ///   - fixedPort: where to listen instead of registering, for a proxy that was told of it
  ///     (`KamailioConfiguration.fixedUsers`).
  package init(
    _ user: String, domain: String, port: Int, over transport: Transport = .udp, fixedPort: Int? = nil
  ) async throws {
    self.user = SIPText.escape(user: user)
    self.domain = domain
    address = "sip:\(self.user)@\(domain)"
    channel = try SIPChannel(transport == .udp ? .udp : .tcp, port: fixedPort, proxyPort: port) { [weak self] in
      self?.take($0)
    }
    if fixedPort != nil { return }
    let reply = try await request("REGISTER", uri: "sip:\(domain)", to: address, headers: [("Expires", "600")])
    guard reply.status == 200 else { throw LabError("\(address) may not register: \(reply.message.startLine)") }
  }

  /// Sends a MESSAGE and waits for its final answer.
  /// - Parameter to: `sip:juliet@partner.test`.
  package func say(
    _ body: String, to: String, contentType: String = "text/plain;charset=UTF-8", within limit: Duration = .seconds(35)
  ) async throws -> Reply {
    try await say(bytes: Array(body.utf8), to: to, contentType: contentType, within: limit)
  }

  package func say(
    bytes: [UInt8], to: String, contentType: String = "text/plain;charset=UTF-8",
    headers: [(name: String, value: String)] = [], within limit: Duration = .seconds(35)
  ) async throws -> Reply {
    try await request(
      "MESSAGE", uri: to, to: to, headers: headers + [("Content-Type", contentType)], body: bytes, within: limit)
  }

  /// The next MESSAGE, from `sender` (`sip:…`) if one is named.
  package func hear(from sender: String? = nil, within limit: Duration = .seconds(10)) async throws -> Heard {
    try await heard("a message", within: limit) { sender == nil || $0.from == sender }
  }

  /// The MESSAGE with exactly this body.
  package func hear(body: String, within limit: Duration = .seconds(10)) async throws -> Heard {
    try await heard("the message \"\(body.prefix(60))\"", within: limit) { $0.text == body }
  }

  private func heard(_ what: String, within limit: Duration, where matches: (Heard) -> Bool) async throws -> Heard {
    let found = try await requests.first(within: limit) { $0.message.method == "MESSAGE" && matches($0) ? $0 : nil }
    if let found { return found }
    let others = requests.rest.suffix(8).map { "\($0.message.startLine) from \($0.from): \($0.text.prefix(120))" }
    throw LabError("\(address) did not get \(what) within \(limit)", log: others)
  }

  private func request(
    _ method: String, uri: String, to: String, headers: [(name: String, value: String)], body: [UInt8] = [],
    within limit: Duration = .seconds(10)
  ) async throws -> Reply {
    let number = lock.withLock { () -> Int in
      sequence += 1
      return sequence
    }
    let callID = Self.token()
    let transport = channel.kind.rawValue
    let request = SIPText(
      "\(method) \(uri) SIP/2.0",
      [
        ("Via", "SIP/2.0/\(transport) 127.0.0.1:\(channel.port);branch=z9hG4bK\(Self.token());rport"),
        ("Max-Forwards", "70"), ("From", "<\(address)>;tag=\(tag)"), ("To", "<\(to)>"), ("Call-ID", callID),
        ("CSeq", "\(number) \(method)"),
      ] + (method == "MESSAGE" ? [] : [("Contact", contact)]) + headers, body: body)
    let bytes = request.encoded
    // RFC 3261 §17.1.2.2: over UDP again after T1 = 500 ms, doubling up to T2 = 4 s, until something comes back.
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(500)
    repeat {
      channel.send(bytes)
      let rest = deadline - ContinuousClock.now
      let reply = try await responses.first(within: channel.kind == .udp ? min(pause, rest) : rest) {
        $0.message["call-id"] == callID && $0.status >= 200 ? $0 : nil
      }
      if let reply { return reply }
      pause = min(pause * 2, .seconds(4))
    } while ContinuousClock.now < deadline
    throw LabError("\(address): no final answer to \(method) \(uri) within \(limit)")
  }

  private var contact: String {
    "<sip:\(user)@127.0.0.1:\(channel.port);transport=\(channel.kind.rawValue.lowercased())>"
  }

  private func take(_ arrival: SIPChannel.Arrival) {
    let message = arrival.message
    guard let method = message.method else {
      let reason = message.startLine.split(separator: " ", maxSplits: 2).dropFirst(2).first.map(String.init) ?? ""
      responses.append(Reply(status: message.status ?? 0, reason: reason, message: message, at: arrival.at))
      return
    }
    if method == "ACK" { return }
    // RFC 3261 §17.2.3: the branch and the method name the transaction.
    let transaction = "\(message["via"] ?? "") \(method)"
    if let earlier = lock.withLock({ answered[transaction] }) { return arrival.reply(earlier) }
    let (status, reason): (Int, String)
    switch method {
    case "MESSAGE":
      guard let answer = answer(message) else { return }
      (status, reason) = answer
    case "OPTIONS", "INFO", "NOTIFY", "BYE", "CANCEL": (status, reason) = (200, "OK")
    case "INVITE": (status, reason) = (488, "Not Acceptable Here")
    default: (status, reason) = (405, "Method Not Allowed")
    }
    let reply = message.reply(status, reason, tag: tag).encoded
    lock.withLock { answered[transaction] = reply }
    requests.append(Heard(message: message, at: arrival.at))
    arrival.reply(reply)
  }

  private static func token() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
