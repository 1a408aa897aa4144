import NIOCore
import Transport
import XMLStreaming

/// Steady traffic in both directions through one gateway between a played partner and a played platform, which goes on
/// through every break: what was not acknowledged is sent again, with the same ids, as real servers do. Confined to its
/// event loop.
package final class TwoWayTraffic: @unchecked Sendable {
  package struct Ports: Sendable {
    package var partner: Int
    package var platform: Int
    package var gatewayXMPP: Int
    package var gatewaySIP: Int

    package init(partner: Int, platform: Int, gatewayXMPP: Int, gatewaySIP: Int) {
      self.partner = partner
      self.platform = platform
      self.gatewayXMPP = gatewayXMPP
      self.gatewaySIP = gatewaySIP
    }
  }

  package let partner: LoadPartner
  package let platform: LoadPlatform
  package private(set) var inward: DeliveryLedger
  package private(set) var outward: DeliveryLedger
  private let ports: Ports
  private let count: Int
  private let pace: TimeAmount?
  private let users: Int
  private let window: Int
  private let loop: any EventLoop

  /// Sent on the stream and not acknowledged, oldest first.
  private var unacknowledged: [Int] = []
  /// Sent to the gateway by the platform and not answered, by Call-ID.
  private var unanswered: [Int: WireSIP] = [:]
  private var platformIsUp = false
  private var nextOfUser: [Int]
  private var isStopped = false
  /// With a pace: what each direction is to offer at the moment.
  package var offersInward = true
  package var offersOutward = true
  private var isFinishing = false
  /// Of each platform user, what was written while an earlier message was not answered.
  private var written: [[Int]]
  /// When a sign of life last came for what waits.
  private var partnerProgress = NIODeadline.now()
  private var platformProgress = NIODeadline.now()
  /// Called after every acknowledgement and arrival.
  package var onProgress: ((TwoWayTraffic) -> Void)?

  /// How long a side waits for an acknowledgement or a response before it gives its connection up.
  private static let patience = TimeAmount.seconds(4)

  /// - Parameters:
  ///   - count: messages in each direction.
  ///   - pace: nil: as fast as window and answers let them go. Else the time from one to the next, in each direction and
  ///     whatever happens, until `finish`: people write on while their server has no connection.
  package init(
    partner: LoadPartner, platform: LoadPlatform, ports: Ports, count: Int = .max, users: Int = 25, window: Int = 400,
    pace: TimeAmount? = nil
  ) {
    self.partner = partner
    self.platform = platform
    self.ports = ports
    self.count = count
    self.users = users
    self.window = window
    self.pace = pace
    written = Array(repeating: [], count: users)
    loop = partner.loop
    inward = DeliveryLedger(users: users)
    outward = DeliveryLedger(users: users)
    nextOfUser = Array(0..<users)
  }

  /// Both must be listening.
  package func start() {
    partner.onEstablished = { [unowned self] in partnerUp() }
    partner.onOutClosed = { [unowned self] _ in redialPartner() }
    partner.onAcknowledged = { [unowned self] in acknowledged($0) }
    partner.onStanza = { [unowned self] stanza in
      let text = stanza.child("body", stanza.name.namespace)?.text ?? ""
      if stanza["type"] == "error" {
        if let number = LoadBody.number("#" + (stanza["id"] ?? "").dropFirst(3) + " ") {
          inward.refuse(number, Self.condition(stanza))
        }
      } else if let number = LoadBody.number(text) {
        outward.arrive(number, id: stanza["id"] ?? "")
      }
      onProgress?(self)
    }
    platform.onConnected = { [unowned self] in platformUp() }
    platform.onOutClosed = { [unowned self] _ in redialPlatform() }
    platform.onResponse = { [unowned self] in answered($0) }
    platform.onRequest = { [unowned self] request in
      let text = String(decoding: request.body, as: UTF8.self)
      if let number = LoadBody.number(text) {
        inward.arrive(number, id: request["Call-ID"] ?? "")
        onProgress?(self)
      } else if let number = Self.number(callID: request["Call-ID"]) {
        // Written to its sender in the conversation that it was part of.
        outward.refuse(number, text)
        onProgress?(self)
      }
      return 200
    }
    if let pace {
      loop.scheduleRepeatedTask(initialDelay: pace, delay: pace) { [weak self] task in
        guard let self, !self.isStopped, !self.isFinishing else { return task.cancel() }
        self.write()
      }
    }
    loop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) { [weak self] task in
      guard let self, !self.isStopped else { return task.cancel() }
      self.watch()
    }
    partner.dial(port: ports.gatewayXMPP)
    platform.dial(port: ports.gatewaySIP, serverName: "sip.gateway.test")
  }

  private static func condition(_ stanza: XMLElement) -> String {
    let error = stanza.child("error", stanza.name.namespace)
    let condition = error?.elements.first { $0.name.namespace == "urn:ietf:params:xml:ns:xmpp-stanzas" }
    return "\(error?["type"] ?? "no type") \(condition?.name.local ?? "no condition")"
  }

  private static func number(callID: String?) -> Int? {
    guard let callID, callID.hasPrefix("out-") else { return nil }
    return Int(callID.dropFirst(4).prefix { $0 != "@" })
  }

  /// One more message in each direction.
  private func write() {
    if offersInward {
      let number = inward.send()
      unacknowledged.append(number)
      if unacknowledged.count == 1 { partnerProgress = .now() }
      if partner.isEstablished { partner.send(stanza(number)) }
    }
    if offersOutward {
      let number = outward.send()
      written[number % users].append(number)
      if isIdle(number % users) { sendNext(of: number % users) }
    }
  }

  private func isIdle(_ user: Int) -> Bool { !unanswered.keys.contains { $0 % users == user } }

  /// Connections on which nothing comes back are given up.
  private func watch() {
    let limit = NIODeadline.now() - Self.patience
    if !unacknowledged.isEmpty, partnerProgress < limit {
      partnerProgress = .now()
      partner.abandon()
    }
    if !unanswered.isEmpty, platformProgress < limit {
      platformProgress = .now()
      platform.abandon()
    }
  }

  /// Nothing more is written; what was is still delivered.
  package func finish() { isFinishing = true }

  /// Everything was sent, acknowledged (or refused) and has arrived.
  package var isComplete: Bool {
    let isWritten = pace == nil ? inward.sent == count && outward.sent == count : isFinishing
    return isWritten && isSettled(inward: inward.sent, outward: outward.sent)
  }

  /// Whether it is complete before `limit` is over. From any thread.
  package func completes(within limit: Duration) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
      if try await loop.submit({ self.isComplete }).get() { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  /// `isComplete` for the first messages of each direction only.
  package func isSettled(inward first: Int, outward second: Int) -> Bool {
    (unacknowledged.first ?? .max) >= first && (unanswered.keys.min() ?? .max) >= second
      && written.allSatisfy { ($0.first ?? .max) >= second }
      && inward.isSettled(upTo: first) && outward.isSettled(upTo: second)
  }

  /// For a person who wonders why it is not complete.
  package var summary: String {
    "in: \(inward.sent) sent, \(inward.acknowledged.count) acknowledged, \(inward.seen.count) arrived, "
      + "\(inward.refused.count) refused, \(unacknowledged.count) wait; out: \(outward.sent) sent, "
      + "\(outward.acknowledged.count) acknowledged, \(outward.seen.count) arrived, \(outward.refused.count) refused, "
      + "\(unanswered.count) wait"
  }

  package func stop() {
    isStopped = true
    partner.close()
    platform.close()
  }

  // MARK: The partner as sender

  private func partnerUp() {
    partnerProgress = .now()
    for number in unacknowledged { partner.send(stanza(number)) }
    sendMore()
  }

  private func stanza(_ number: Int) -> [UInt8] {
    let user = number % users
    return Array(
      ("<message from='p\(user)@\(partner.domain)/lab' to='c\(user)@\(partner.peer)' type='chat' "
        + "id='in-\(number)'><body>\(LoadBody.text(number))</body></message>").utf8)
  }

  private func sendMore() {
    guard pace == nil else { return }
    while partner.isEstablished, unacknowledged.count < window, inward.sent < count {
      let number = inward.send()
      unacknowledged.append(number)
      partner.send(stanza(number))
    }
  }

  private func acknowledged(_ some: Int) {
    for number in unacknowledged.prefix(some) { inward.acknowledge(number) }
    unacknowledged.removeFirst(min(some, unacknowledged.count))
    partnerProgress = .now()
    onProgress?(self)
    sendMore()
  }

  private func redialPartner() {
    guard !isStopped else { return }
    loop.scheduleTask(in: .milliseconds(100)) { [self] in
      if !isStopped, partner.out == nil { partner.dial(port: ports.gatewayXMPP) }
    }
  }

  // MARK: The platform as sender

  private func platformUp() {
    platformIsUp = true
    platformProgress = .now()
    for number in unanswered.keys.sorted() { platform.send(unanswered[number]!) }
    for user in 0..<users where isIdle(user) { sendNext(of: user) }
  }

  /// One message at a time for each user, as their clients do.
  private func sendNext(of user: Int) {
    guard platformIsUp, let number = takeNext(of: user) else { return }
    if unanswered.isEmpty { platformProgress = .now() }
    let request = WireSIP(
      startLine: "MESSAGE sip:p\(user)@\(partner.domain) SIP/2.0",
      headers: [
        ("Via", "SIP/2.0/TLS \(platform.host):\(ports.platform);branch=z9hG4bKlab\(number)"),
        ("Max-Forwards", "70"), ("From", "<sip:c\(user)@\(partner.peer)>;tag=c\(user)"),
        ("To", "<sip:p\(user)@\(partner.domain)>"), ("Call-ID", "out-\(number)@\(platform.host)"),
        ("CSeq", "1 MESSAGE"), ("Content-Type", "text/plain;charset=UTF-8"),
      ], body: Array(LoadBody.text(number).utf8))
    unanswered[number] = request
    platform.send(request)
  }

  private func takeNext(of user: Int) -> Int? {
    if pace != nil { return written[user].isEmpty ? nil : written[user].removeFirst() }
    let number = nextOfUser[user]
    guard number < count else { return nil }
    nextOfUser[user] += users
    _ = outward.send()
    return number
  }

  private func answered(_ response: WireSIP) {
    guard let number = Self.number(callID: response["Call-ID"]), response.status >= 200,
      unanswered.removeValue(forKey: number) != nil
    else { return }
    platformProgress = .now()
    if response.status < 300 { outward.acknowledge(number) } else { outward.refuse(number, "\(response.status)") }
    onProgress?(self)
    sendNext(of: number % users)
  }

  private func redialPlatform() {
    platformIsUp = false
    guard !isStopped else { return }
    loop.scheduleTask(in: .milliseconds(100)) { [self] in
      if !isStopped { platform.dial(port: ports.gatewaySIP, serverName: "sip.gateway.test") }
    }
  }
}
