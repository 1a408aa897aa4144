import SIPCore
import Testing

@Suite struct DialogTests {
  static let accepted = response(
    """
    SIP/2.0 200 OK
    Via: SIP/2.0/TLS gw.test:5061;branch=z9hG4bKone
    From: <sip:alice@partner.test>;tag=a
    To: "Bob" <sip:bob@corp.test>;epid=1234;tag=b
    Call-ID: c1
    CSeq: 7 INVITE
    Record-Route: <sip:fe.corp.test:5061;transport=tls;lr;ms-key-info=AbC=;ms-route-sig=x/y+z>
    Record-Route: <sip:edge.corp.test;lr>, <sip:last.corp.test;lr>
    Contact: <sip:bob@corp.test;opaque=user:epid:Ab-C;gruu>
    Content-Length: 0


    """)

  @Test func callerSide() throws {
    var dialog = try #require(Dialog(invite: TransactionTests.invite, response: Self.accepted))
    #expect(dialog.id == Dialog.ID(callID: "c1", localTag: "a", remoteTag: "b"))
    let ack = dialog.acknowledgement(inviteNumber: 7)
    #expect(ack.headers.string(.cSeq) == "7 ACK")
    let message = dialog.request(.message)
    #expect(message.uriText == "sip:bob@corp.test;opaque=user:epid:Ab-C;gruu")
    #expect(message.headers.string(.cSeq) == "8 MESSAGE")
    #expect(message.headers.string(.to) == "\"Bob\" <sip:bob@corp.test>;epid=1234;tag=b")
    #expect(message.headers.string(.from) == "<sip:alice@partner.test>;tag=a")
    #expect(
      message.headers.all(.route).map { String(decoding: $0, as: UTF8.self) } == [
        "<sip:last.corp.test;lr>", "<sip:edge.corp.test;lr>",
        "<sip:fe.corp.test:5061;transport=tls;lr;ms-key-info=AbC=;ms-route-sig=x/y+z>",
      ])
    #expect(dialog.request(.bye).headers.string(.cSeq) == "9 BYE")
  }

  @Test func calleeSide() throws {
    let invite = request(
      """
      INVITE sip:alice@partner.test SIP/2.0
      Via: SIP/2.0/TLS fe.corp.test;branch=z9hG4bKtwo
      Record-Route: <sip:one.corp.test;lr>
      Record-Route: <sip:two.corp.test;lr>
      Max-Forwards: 70
      From: "Bob" <sip:bob@corp.test>;tag=b;epid=77
      To: <sip:alice@partner.test>
      Call-ID: c2
      CSeq: 3 INVITE
      Contact: <sip:bob@10.0.0.1:5061;transport=tls>
      Content-Length: 0


      """)
    var dialog = try #require(Dialog(accepting: invite, localTag: "l"))
    let bye = dialog.request(.bye)
    #expect(bye.headers.string(.from) == "<sip:alice@partner.test>;tag=l")
    #expect(bye.headers.string(.to) == "\"Bob\" <sip:bob@corp.test>;tag=b;epid=77")
    #expect(bye.headers.string(.cSeq) == "1 BYE")
    #expect(bye.headers.strings(.route) == ["<sip:one.corp.test;lr>", "<sip:two.corp.test;lr>"])

    var message = SIPRequest(.message, uriText: "sip:gw")
    #expect(dialog.received(message, number: 4) == .inOrder)
    #expect(dialog.received(message, number: 3) == .outOfOrder)
    #expect(dialog.received(message, number: 9) == .inOrder)
    message.method = .ack
    #expect(dialog.received(message, number: 3) == .inOrder)
  }

  @Test func aStrictRouterTakesTheRequestURI() throws {
    var answer = Self.accepted
    answer.headers.remove(.recordRoute)
    answer.headers.append(.recordRoute, "<sip:strict.test>")
    var dialog = try #require(Dialog(invite: TransactionTests.invite, response: answer))
    let message = dialog.request(.message)
    #expect(message.uriText == "sip:strict.test")
    #expect(message.headers.strings(.route) == ["<sip:bob@corp.test;opaque=user:epid:Ab-C;gruu>"])
  }

  @Test func aReInviteMovesThePeer() throws {
    var dialog = try #require(Dialog(invite: TransactionTests.invite, response: Self.accepted))
    var again = SIPRequest(.invite, uriText: "sip:gw")
    again.headers.append(.contact, "<sip:new@corp.test>")
    #expect(dialog.received(again, number: 1) == .inOrder)
    #expect(dialog.request(.message).uriText == "sip:new@corp.test")
  }

  @Test func aDialogNeedsContactAndTag() {
    var noContact = Self.accepted
    noContact.headers.remove(.contact)
    #expect(Dialog(invite: TransactionTests.invite, response: noContact) == nil)
    var noTag = Self.accepted
    noTag.headers.replace(.to, "<sip:bob@corp.test>")
    #expect(Dialog(invite: TransactionTests.invite, response: noTag) == nil)
  }
}
