import SIPCore
import Testing

@Suite struct TransactionTests {
  static let invite = request(
    """
    INVITE sip:bob@corp.test SIP/2.0
    Via: SIP/2.0/TLS gw.test:5061;branch=z9hG4bKone
    Route: <sip:edge.corp.test;lr>
    Max-Forwards: 70
    From: <sip:alice@partner.test>;tag=a
    To: <sip:bob@corp.test>
    Call-ID: c1
    CSeq: 7 INVITE
    Contact: <sip:gw.test:5061;transport=tls>
    Content-Length: 0


    """)

  static func answer(_ status: Int) -> SIPResponse { invite.response(status, toTag: "b") }

  static func names(_ actions: [ClientTransaction.Action]) -> [String] {
    actions.map {
      switch $0 {
      case .deliver(let response): "deliver \(response.status)"
      case .acknowledge(let ack): "ack \(ack.headers.string(.to) ?? "")"
      case .start(let timer): "start \(timer)"
      case .stop(let timer): "stop \(timer)"
      case .timedOut: "timedOut"
      case .terminated: "terminated"
      }
    }
  }

  static func names(_ actions: [ServerTransaction.Action]) -> [String] {
    actions.map {
      switch $0 {
      case .send(let response): "send \(response.status)"
      case .start(let timer): "start \(timer)"
      case .stop(let timer): "stop \(timer)"
      case .timedOut: "timedOut"
      case .terminated: "terminated"
      }
    }
  }

  @Test func nonInviteClient() {
    var transaction = ClientTransaction(SIPRequest(.message, uriText: "sip:a@b"))
    #expect(transaction.firstTimer == .f)
    #expect(Self.names(transaction.received(Self.answer(100))) == ["deliver 100"])
    #expect(Self.names(transaction.received(Self.answer(200))) == ["stop f", "deliver 200", "terminated"])
    #expect(transaction.received(Self.answer(200)).isEmpty)
    #expect(transaction.fired(.f).isEmpty)
  }

  @Test func nonInviteClientTimesOutWhetherOrNotItWasProvisionallyAnswered() {
    for provisional in [false, true] {
      var transaction = ClientTransaction(SIPRequest(.message, uriText: "sip:a@b"))
      if provisional { _ = transaction.received(Self.answer(100)) }
      #expect(Self.names(transaction.fired(.f)) == ["timedOut", "terminated"])
      #expect(transaction.received(Self.answer(200)).isEmpty)
    }
  }

  @Test func inviteClientAcknowledgesARefusalInItsOwnTransaction() throws {
    var transaction = ClientTransaction(Self.invite)
    #expect(transaction.firstTimer == .b)
    #expect(!transaction.canBeCancelled)
    #expect(Self.names(transaction.received(Self.answer(180))) == ["stop b", "deliver 180"])
    #expect(transaction.canBeCancelled)
    let actions = transaction.received(Self.answer(486))
    #expect(Self.names(actions) == ["ack <sip:bob@corp.test>;tag=b", "deliver 486", "terminated"])
    guard case .acknowledge(let ack) = actions[0] else { return }
    // RFC 3261 §17.1.1.3
    #expect(ack.uriText == "sip:bob@corp.test")
    #expect(ack.headers.string(.via) == "SIP/2.0/TLS gw.test:5061;branch=z9hG4bKone")
    #expect(ack.headers.string(.cSeq) == "7 ACK")
    #expect(ack.headers.strings(.route) == ["<sip:edge.corp.test;lr>"])
  }

  @Test func inviteClientListensForFurther2xx() {
    var transaction = ClientTransaction(Self.invite)
    #expect(Self.names(transaction.received(Self.answer(200))) == ["stop b", "start m", "deliver 200"])
    #expect(Self.names(transaction.received(Self.answer(200))) == ["deliver 200"])
    #expect(transaction.received(Self.answer(486)).isEmpty)
    #expect(Self.names(transaction.fired(.m)) == ["terminated"])
    #expect(transaction.received(Self.answer(200)).isEmpty)
  }

  @Test func inviteClientTimesOutOnlyWithoutAnyAnswer() {
    var silent = ClientTransaction(Self.invite)
    #expect(Self.names(silent.fired(.b)) == ["timedOut", "terminated"])
    var ringing = ClientTransaction(Self.invite)
    _ = ringing.received(Self.answer(180))
    #expect(ringing.fired(.b).isEmpty)
    #expect(Self.names(ringing.cancelled()) == ["start b"])
    #expect(!ringing.canBeCancelled)
    #expect(Self.names(ringing.fired(.b)) == ["timedOut", "terminated"], "RFC 3261 §9.1")
  }

  @Test func nonInviteServerAbsorbsRepetitions() {
    var transaction = ServerTransaction(invite: false)
    #expect(transaction.receivedRepetition().isEmpty)
    #expect(Self.names(transaction.answered(Self.answer(202))) == ["send 202", "terminated"])
    #expect(transaction.answered(Self.answer(500)).isEmpty)
    #expect(transaction.isAnswered)
  }

  @Test func inviteServerWaitsForTheACK() {
    var transaction = ServerTransaction(invite: true)
    #expect(Self.names(transaction.answered(Self.answer(100))) == ["send 100"])
    #expect(Self.names(transaction.receivedRepetition()) == ["send 100"])
    #expect(Self.names(transaction.answered(Self.answer(488))) == ["send 488", "start h"])
    #expect(Self.names(transaction.receivedRepetition()) == ["send 488"])
    #expect(Self.names(transaction.acknowledged()) == ["stop h", "terminated"])
    #expect(transaction.receivedRepetition().isEmpty)
  }

  @Test func inviteServerGivesUpWithoutACK() {
    var transaction = ServerTransaction(invite: true)
    _ = transaction.answered(Self.answer(486))
    #expect(Self.names(transaction.fired(.h)) == ["timedOut", "terminated"])
  }

  @Test func inviteServerRemembersA2xx() {
    var transaction = ServerTransaction(invite: true)
    #expect(Self.names(transaction.answered(Self.answer(200))) == ["send 200", "start l"])
    #expect(transaction.receivedRepetition().isEmpty)
    #expect(transaction.acknowledged().isEmpty)
    #expect(Self.names(transaction.fired(.l)) == ["terminated"])
  }

  @Test func keysTellTransactionsApart() throws {
    let one = try Self.invite.essentials()
    #expect(ServerTransactionKey(one, method: .invite) == ServerTransactionKey(one, method: .ack))
    #expect(ServerTransactionKey(one, method: .invite) != ServerTransactionKey(one, method: .cancel))
    #expect(ServerTransactionKey.cancelled(by: one) == ServerTransactionKey(one, method: .invite))
    var elsewhere = one
    elsewhere.via.host = "other.test"
    #expect(ServerTransactionKey(one, method: .invite) != ServerTransactionKey(elsewhere, method: .invite))
    let response = try Self.answer(200).essentials()
    #expect(ClientTransactionKey(response) == ClientTransactionKey(branch: "z9hG4bKone", method: .invite))
  }

  @Test func cancelRepeatsTheInvite() {
    let cancel = Self.invite.cancellation()
    #expect(cancel.headers.string(.via) == Self.invite.headers.string(.via))
    #expect(cancel.headers.string(.cSeq) == "7 CANCEL")
    #expect(cancel.headers.string(.to) == "<sip:bob@corp.test>")
  }

  @Test func responsesEchoWhatTheRequestBrought() {
    let response = Self.invite.response(404, reason: "Nobody", toTag: "t")
    #expect(response.headers.string(.to) == "<sip:bob@corp.test>;tag=t")
    #expect(response.headers.string(.via) == Self.invite.headers.string(.via))
    #expect(Self.invite.response(100, toTag: "t").headers.string(.to) == "<sip:bob@corp.test>")
  }

  @Test func aRequestThatWasHereBeforeIsRecognised() {
    #expect(Self.invite.hasPassed("GW.test:5061"))
    #expect(!Self.invite.hasPassed("gw.test"))
  }
}
