import BrokerCore
import SIPCore
import Testing

@testable import SIPAdapter

@Suite struct SIPMappingTests {
  /// RFC 7247 §6.4, §6.5.
  static let addressRows: [(String, Address)] = [
    ("sip:bob@corp.test", Address(user: "bob", domain: "corp.test")),
    ("sip:f%C3%BC@example.com", Address(user: "fü", domain: "example.com")),
    ("sip:o'malley@example.com", Address(user: "o'malley", domain: "example.com")),
    ("sip:foo@example.com;gr=bar", Address(user: "foo", domain: "example.com", endpoint: "bar")),
    ("sip:foo@example.com;gr=b%C3%A4r%3B1", Address(user: "foo", domain: "example.com", endpoint: "bär;1")),
    ("sip:m&m@example.com", Address(user: "m&m", domain: "example.com")),
    ("sip:a%20b@example.com", Address(user: "a b", domain: "example.com")),
    ("sip:a%40b@example.com", Address(user: "a@b", domain: "example.com")),
    ("sip:%F0%9F%99%82@example.com", Address(user: "🙂", domain: "example.com")),
  ]

  @Test(arguments: addressRows)
  func addresses(text: String, address: Address) throws {
    let uri = try found(SIPURI(text))
    #expect(try AddressMapping.address(uri) == address)
    #expect(AddressMapping.uri(address).description == text)
  }

  @Test func ports() throws {
    let uri = try found(SIPURI("sips:bob@CORP.test.:5061;transport=tls"))
    #expect(try AddressMapping.address(uri) == Address(user: "bob", domain: "corp.test"))
    let header = try found(NameAddr("<sip:a@b>;gr=x"))
    #expect(try AddressMapping.address(#require(header.uri), headerParameters: header.parameters).endpoint == "x")
  }

  @Test(arguments: ["sip:%FF@x", "sip:%C3@x", "sip:%ED%A0%80@x", "sip:a@x;gr=%FF"])
  func octetsThatAreNoText(text: String) throws {
    let uri = try found(SIPURI(text))
    #expect(throws: SIPDefect.self) { try AddressMapping.address(uri) }
  }

  /// RFC 7247 §7.1 Table 2: condition, full address, bare address.
  static let statuses: [(DeliveryError.Condition, Int, Int)] = [
    (.badRequest, 400, 400), (.conflict, 400, 400), (.featureNotImplemented, 405, 501), (.forbidden, 403, 603),
    (.gone, 410, 410), (.internalServerError, 500, 500), (.itemNotFound, 404, 604), (.jidMalformed, 400, 400),
    (.notAcceptable, 406, 606), (.notAllowed, 403, 403), (.notAuthorized, 401, 401), (.policyViolation, 403, 403),
    (.recipientUnavailable, 480, 600), (.redirect, 480, 480), (.registrationRequired, 407, 407),
    (.remoteServerNotFound, 404, 404), (.remoteServerTimeout, 408, 408), (.resourceConstraint, 500, 500),
    (.serviceUnavailable, 403, 403), (.subscriptionRequired, 400, 400), (.undefinedCondition, 400, 400),
    (.unexpectedRequest, 491, 491),
  ]

  @Test func everyConditionHasAStatusAndNoneIs503() {
    #expect(Set(Self.statuses.map(\.0)) == Set(DeliveryError.Condition.allCases))
    for (condition, full, bare) in Self.statuses {
      let error = DeliveryError(condition, text: "", detail: "")
      #expect(StatusMapping.status(error, fullAddress: true) == full, "\(condition)")
      #expect(StatusMapping.status(error, fullAddress: false) == bare, "\(condition)")
    }
    let moved = DeliveryError(.gone, text: "", detail: "", alternative: "sip:new@x")
    #expect(StatusMapping.status(moved, fullAddress: true) == 301)
    let redirected = DeliveryError(.redirect, text: "", detail: "", alternative: "sip:new@x")
    #expect(StatusMapping.status(redirected, fullAddress: true) == 302)
  }

  /// RFC 7247 §7.2 Table 3.
  static let conditionRows: [(Int, DeliveryError.Condition)] = [
    (300, .redirect), (301, .gone), (302, .redirect), (305, .redirect), (380, .notAcceptable), (399, .redirect),
    (400, .badRequest), (401, .notAuthorized), (402, .badRequest), (403, .forbidden), (404, .itemNotFound),
    (405, .featureNotImplemented), (406, .notAcceptable), (407, .registrationRequired), (408, .remoteServerTimeout),
    (410, .gone), (413, .policyViolation), (414, .policyViolation), (415, .notAcceptable), (416, .notAcceptable),
    (420, .featureNotImplemented), (421, .notAcceptable), (423, .resourceConstraint), (430, .recipientUnavailable),
    (439, .featureNotImplemented), (440, .policyViolation), (480, .recipientUnavailable), (481, .itemNotFound),
    (482, .notAcceptable), (483, .notAcceptable), (484, .itemNotFound), (485, .itemNotFound),
    (486, .recipientUnavailable), (487, .recipientUnavailable), (488, .notAcceptable), (489, .policyViolation),
    (491, .unexpectedRequest), (493, .badRequest), (499, .badRequest), (500, .internalServerError),
    (501, .featureNotImplemented), (502, .remoteServerNotFound), (503, .internalServerError),
    (504, .remoteServerTimeout), (505, .notAcceptable), (513, .policyViolation), (599, .internalServerError),
    (600, .recipientUnavailable), (603, .recipientUnavailable), (604, .itemNotFound), (606, .notAcceptable),
    (699, .recipientUnavailable),
  ]

  @Test(arguments: conditionRows)
  func conditions(status: Int, expected: DeliveryError.Condition) {
    #expect(StatusMapping.condition(status) == expected)
  }

  @Test func aRefusalTellsThePersonItsPhraseAndTheOperatorEverything() {
    var response = SIPResponse(606, reason: "Blocked\u{7}")
    response.headers.append(.warning, "309 lcs.microsoft.com \"Message contents not allowed by policy\"")
    response.headers.append(other: "ms-diagnostics", "3046;reason=\"filter\"")
    let error = StatusMapping.error(response, to: "MESSAGE")
    #expect(error.condition == .notAcceptable)
    #expect(error.text == "Blocked")
    #expect(error.detail.contains("309 lcs.microsoft.com: Message contents not allowed by policy"))
    #expect(error.detail.contains("ms-diagnostics 3046"))
    #expect(StatusMapping.error(SIPResponse(404, reason: ""), to: "MESSAGE").text == "Not Found")
    var moved = SIPResponse(301)
    moved.headers.append(.contact, "<sip:bob@new.test>")
    #expect(StatusMapping.error(moved, to: "MESSAGE").alternative == "sip:bob@new.test")
  }
}
