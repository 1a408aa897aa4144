extension SIPRequest {
  /// A response with the fields of RFC 3261 §8.2.6: Via, From, Call-ID and CSeq as they came, To with our tag.
  package func response(_ status: Int, reason: String? = nil, toTag: String?) -> SIPResponse {
    var response = SIPResponse(status, reason: reason)
    response.headers.copy(.via, from: headers)
    response.headers.copy(.from, from: headers)
    if let toTag, status > 100, let to = headers.first(.to), NameAddr(parsing: to)?.tag == nil {
      // `<…>;tag=` and `addr-spec;tag=` both read as a header parameter.
      response.headers.append(.to, String(header: to) + ";tag=" + toTag)
    } else {
      response.headers.copy(.to, from: headers)
    }
    response.headers.copy(.callID, from: headers)
    response.headers.copy(.cSeq, from: headers)
    return response
  }

  /// RFC 3261 §16.3: whether this request already went through `sentBy`. A gateway is a loop's weak place, since Via
  /// does not survive the other network (RFC 7247 §8, RFC 5393).
  package func hasPassed(_ sentBy: String) -> Bool {
    let sentBy = sentBy.asciiLowercased
    return headers.list(.via).contains { Via(parsing: $0)?.sentBy == sentBy }
  }

  /// ACK for a final response other than 2xx: part of the INVITE's transaction (RFC 3261 §17.1.1.3).
  package func acknowledgement(of response: SIPResponse) -> SIPRequest {
    var ack = SIPRequest(.ack, uriText: uriText)
    if let via = headers.list(.via).first { ack.headers.append(.via, bytes: via) }
    ack.headers.copy(.route, from: headers)
    ack.headers.append(.maxForwards, "70")
    ack.headers.copy(.from, from: headers)
    ack.headers.copy(.to, from: response.headers)
    ack.headers.copy(.callID, from: headers)
    ack.headers.append(.cSeq, CSeq(sequenceNumber, .ack).description)
    return ack
  }

  /// CANCEL for this request (RFC 3261 §9.1).
  package func cancellation() -> SIPRequest {
    var cancel = SIPRequest(.cancel, uriText: uriText)
    if let via = headers.list(.via).first { cancel.headers.append(.via, bytes: via) }
    cancel.headers.copy(.route, from: headers)
    cancel.headers.append(.maxForwards, "70")
    cancel.headers.copy(.from, from: headers)
    cancel.headers.copy(.to, from: headers)
    cancel.headers.copy(.callID, from: headers)
    cancel.headers.append(.cSeq, CSeq(sequenceNumber, .cancel).description)
    return cancel
  }

  private var sequenceNumber: UInt32 { headers.first(.cSeq).flatMap(CSeq.init(parsing:))?.number ?? 1 }
}
