import Testing
import XMPPCore

/// The receiving side of XEP-0198: what is acknowledged is safe.
@Suite struct StreamManagementTests {
  static let enable = "<enable xmlns='urn:xmpp:sm:3'/>"
  static let request = "<r xmlns='urn:xmpp:sm:3'/>"
  static func acknowledgement(_ h: Int) -> String { "<a xmlns='urn:xmpp:sm:3' h='\(h)'/>" }

  private func receiver(stanzas: Int = 0) -> Receiver {
    var receiver = Receiver.authenticated()
    receiver.receive(Self.enable)
    #expect(receiver.sent == "<enabled xmlns='urn:xmpp:sm:3'/>")
    receiver.sent = ""
    for _ in 0..<stanzas { receiver.receive(InboundAttackTests.message) }
    return receiver
  }

  @Test func nothingToWaitFor() {
    var receiver = receiver()
    receiver.receive(Self.request)
    #expect(receiver.sent == Self.acknowledgement(0))
  }

  @Test func answerWaitsUntilTheStanzasAreSafe() {
    var receiver = receiver(stanzas: 3)
    receiver.receive(Self.request)
    #expect(receiver.sent.isEmpty)
    receiver.handled(2)
    receiver.handled(3)
    #expect(receiver.sent.isEmpty)
    receiver.handled(1)
    #expect(receiver.sent == Self.acknowledgement(3))
  }

  /// Otherwise the partner takes what arrived for lost together with the stream.
  @Test func anErrorComesAfterTheLastAcknowledgement() {
    var receiver = receiver(stanzas: 2)
    receiver.handled(1)
    receiver.receive("<nonsense/>")
    #expect(receiver.sent.hasPrefix(Self.acknowledgement(1) + "<stream:error>"))
  }

  @Test func countNeverPassesAGap() {
    var receiver = receiver(stanzas: 3)
    receiver.handled(1)
    receiver.handled(3)
    receiver.receive(Self.request)
    receiver.pass(.milliseconds(999))
    #expect(receiver.sent.isEmpty)
    receiver.pass(.milliseconds(1))
    #expect(receiver.sent == Self.acknowledgement(1))
    receiver.sent = ""
    // What was owed comes unasked.
    receiver.handled(2)
    #expect(receiver.sent == Self.acknowledgement(3))
  }

  @Test func stanzasBeforeEnablingDoNotCount() {
    var receiver = Receiver.authenticated()
    receiver.receive(InboundAttackTests.message)
    receiver.receive(Self.enable)
    receiver.receive(InboundAttackTests.message)
    receiver.handled(2)
    receiver.sent = ""
    receiver.receive(Self.request)
    receiver.pass(.seconds(1))
    #expect(receiver.sent == Self.acknowledgement(0))
    receiver.sent = ""
    receiver.handled(1)
    #expect(receiver.sent == Self.acknowledgement(1))
  }

  @Test func unknownNumbersChangeNothing() {
    var receiver = receiver(stanzas: 1)
    receiver.handled(0)
    receiver.handled(2)
    receiver.handled(1)
    receiver.handled(1)
    receiver.receive(Self.request)
    #expect(receiver.sent == Self.acknowledgement(1))
  }

  @Test func misuse() {
    var unauthenticated = Receiver()
    unauthenticated.receive(Receiver.header)
    unauthenticated.sent = ""
    unauthenticated.receive(Self.enable + Self.request)
    #expect(unauthenticated.sent.components(of: "<unexpected-request ") == 2)
    var twice = receiver()
    twice.receive(Self.enable)
    #expect(twice.error == .policyViolation)
    var resume = receiver()
    resume.receive("<resume xmlns='urn:xmpp:sm:3' h='0' previd='x'/>")
    #expect(resume.sent.contains("<failed "))
    #expect(resume.end == nil)
  }

  @Test func goodByeWaitsForWhatIsNotSafe() {
    var receiver = receiver(stanzas: 2)
    receiver.handled(1)
    receiver.receive("</stream:stream>")
    #expect(receiver.end == nil)
    receiver.handled(2)
    #expect(receiver.sent == Self.acknowledgement(2) + "</stream:stream>")
    #expect(receiver.end == .closed)
  }

  @Test func goodByeDoesNotWaitForEver() {
    var receiver = receiver(stanzas: 2)
    receiver.receive("</stream:stream>")
    receiver.pass(.seconds(1))
    #expect(receiver.sent == Self.acknowledgement(0) + "</stream:stream>")
    #expect(receiver.end == .closed)
  }

  @Test func silentStreamIsClosedInOrder() {
    var receiver = receiver()
    receiver.pass(.seconds(1799))
    #expect(receiver.sent.isEmpty)
    receiver.pass(.seconds(1))
    #expect(receiver.sent.hasSuffix("</stream:stream>"))
    #expect(receiver.end == nil)
    // RFC 6120 §4.4: what the peer still sends is taken.
    receiver.receive(InboundAttackTests.message)
    #expect(receiver.stanzas.count == 1)
    receiver.pass(.seconds(5))
    #expect(receiver.end == .unanswered)
  }
}
