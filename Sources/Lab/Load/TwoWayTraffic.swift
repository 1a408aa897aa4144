import NIOCore
import Transport

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
  /// Called after every acknowledgement and arrival.
  package var onProgress: ((TwoWayTraffic) -> Void)?

  package init(
    partner: LoadPartner, platform: LoadPlatform, ports: Ports, count: Int, users: Int = 25, window: Int = 400
  ) {
    self.partner = partner
    self.platform = platform
    self.ports = ports
    self.count = count
    self.users = users
    self.window = window
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
        if let number = LoadBody.number("#" + (stanza["id"] ?? "").dropFirst(3) + " ") { inward.refuse(number) }
      } else if let number = LoadBody.number(text) {
        outward.arrive(number, id: stanza["id"] ?? "")
      }
      onProgress?(self)
    }
    platform.onConnected = { [unowned self] in platformUp() }
    platform.onOutClosed = { [unowned self] _ in redialPlatform() }
    platform.onResponse = { [unowned self] in answered($0) }
    platform.onRequest = { [unowned self] request in
      if let number = LoadBody.number(String(decoding: request.body, as: UTF8.self)) {
        inward.arrive(number, id: request["Call-ID"] ?? "")
        onProgress?(self)
      }
      return 200
    }
    partner.dial(port: ports.gatewayXMPP)
    platform.dial(port: ports.gatewaySIP, serverName: "sip.gateway.test")
  }

  /// Everything was sent, acknowledged (or refused) and has arrived.
  package var isComplete: Bool {
    inward.sent == count && outward.sent == count && unacknowledged.isEmpty && unanswered.isEmpty
      && inward.seen.union(inward.refused).count == count && outward.seen.union(outward.refused).count == count
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
    while partner.isEstablished, unacknowledged.count < window, inward.sent < count {
      let number = inward.send()
      unacknowledged.append(number)
      partner.send(stanza(number))
    }
  }

  private func acknowledged(_ some: Int) {
    for number in unacknowledged.prefix(some) { inward.acknowledge(number) }
    unacknowledged.removeFirst(min(some, unacknowledged.count))
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
    for number in unanswered.keys.sorted() { platform.send(unanswered[number]!) }
    for user in 0..<users where !unanswered.keys.contains(where: { $0 % users == user }) { sendNext(of: user) }
  }

  /// One message at a time for each user, as their clients do.
  private func sendNext(of user: Int) {
    let number = nextOfUser[user]
    guard platformIsUp, number < count else { return }
    nextOfUser[user] += users
    _ = outward.send()
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

  private func answered(_ response: WireSIP) {
    guard let callID = response["Call-ID"], let number = Int(callID.dropFirst(4).prefix { $0 != "@" }),
      response.status >= 200, unanswered.removeValue(forKey: number) != nil
    else { return }
    if response.status < 300 { outward.acknowledge(number) } else { outward.refuse(number) }
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
