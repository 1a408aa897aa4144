/// A dialog (RFC 3261 §12): what two user agents agree on between the INVITE and the BYE.
package struct Dialog: Sendable {
  /// Call-ID and tags, seen from our side.
  package struct ID: Hashable, Sendable {
    package var callID: String
    package var localTag: String
    package var remoteTag: String

    package init(callID: String, localTag: String, remoteTag: String) {
      self.callID = callID
      self.localTag = localTag
      self.remoteTag = remoteTag
    }

    /// The dialog that a request from the peer belongs to (§12.2.2); `nil` outside of any.
    package init?(request: Essentials) {
      guard let localTag = request.toTag else { return nil }
      self.init(callID: request.callID, localTag: localTag, remoteTag: request.fromTag)
    }
  }

  package enum Sequencing: Sendable { case inOrder, outOfOrder }

  package let id: ID
  /// With our tag, and whatever else the header field came with (`epid`): goes out as From.
  private let local: String
  /// Goes out as To.
  private let remote: String
  private var localNumber: UInt32
  private var remoteNumber: UInt32?
  /// Name-addrs to the letter: Microsoft signs its Record-Route.
  private let routes: [String]
  private var remoteTarget: String

  /// We sent the INVITE and this is a 2xx for it (§12.1.2). `nil` where the response lacks what a dialog needs.
  package init?(invite: SIPRequest, response: SIPResponse) {
    guard let request = try? invite.essentials(), let essentials = try? response.essentials(),
      let localTag = request.from.tag, let remoteTag = essentials.toTag,
      let contact = response.headers.list(.contact).first.flatMap(NameAddr.init(parsing:)), contact.uri != nil
    else { return nil }
    id = ID(callID: request.callID, localTag: localTag, remoteTag: remoteTag)
    local = invite.headers.string(.from) ?? request.from.description
    remote = response.headers.string(.to) ?? essentials.to.description
    localNumber = request.cSeq.number
    remoteNumber = nil
    routes = response.headers.strings(.recordRoute).reversed()
    remoteTarget = contact.uriText
  }

  /// The peer sent the INVITE and we answer it with this tag (§12.1.1). `nil` where the request has no usable Contact.
  package init?(accepting invite: SIPRequest, localTag: String) {
    guard let essentials = try? invite.essentials(),
      let contact = invite.headers.list(.contact).first.flatMap(NameAddr.init(parsing:)), contact.uri != nil
    else { return nil }
    id = ID(callID: essentials.callID, localTag: localTag, remoteTag: essentials.fromTag)
    local = (invite.headers.string(.to) ?? essentials.to.description) + ";tag=" + localTag
    remote = invite.headers.string(.from) ?? essentials.from.description
    localNumber = 0
    remoteNumber = essentials.cSeq.number
    routes = invite.headers.strings(.recordRoute)
    remoteTarget = contact.uriText
  }

  /// A request inside the dialog (§12.2.1.1). Via, Contact and the body are the caller's.
  package mutating func request(_ method: Method) -> SIPRequest {
    localNumber = localNumber < CSeq.largest ? localNumber + 1 : 1
    return build(method, number: localNumber)
  }

  /// The ACK for the 2xx that answered our INVITE (§13.2.2.4): same number, a transaction of its own.
  package func acknowledgement(inviteNumber: UInt32) -> SIPRequest { build(.ack, number: inviteNumber) }

  private func build(_ method: Method, number: UInt32) -> SIPRequest {
    var request = SIPRequest(method, uriText: remoteTarget)
    var routes = routes[...]
    if let first = routes.first, let hop = NameAddr(first), hop.uri?.parameters.contains("lr") != true {
      // A strict router takes the Request-URI's place (§12.2.1.1).
      request.uriText = hop.uriText
      routes = routes.dropFirst() + ["<\(remoteTarget)>"]
    }
    for route in routes { request.headers.append(.route, route) }
    request.headers.append(.maxForwards, "70")
    request.headers.append(.from, local)
    request.headers.append(.to, remote)
    request.headers.append(.callID, id.callID)
    request.headers.append(.cSeq, CSeq(number, method).description)
    return request
  }

  /// A request from the peer inside the dialog (§12.2.2): a number lower than the last one is out of order.
  package mutating func received(_ request: SIPRequest, number: UInt32) -> Sequencing {
    if request.method != .ack, let remoteNumber, number < remoteNumber { return .outOfOrder }
    if request.method != .ack { remoteNumber = number }
    // Target refresh: of the methods used here only a re-INVITE and an UPDATE move the peer.
    if request.method == .invite || request.method == .update { refreshTarget(request.headers) }
    return .inOrder
  }

  package mutating func refreshTarget(_ headers: SIPHeaders) {
    guard let contact = headers.list(.contact).first.flatMap(NameAddr.init(parsing:)), contact.uri != nil else {
      return
    }
    remoteTarget = contact.uriText
  }
}
