import SIPCore
import Testing

/// RFC 4475: each message and what a server that means well makes of it.
@Suite struct TortureTests {
  enum Verdict: Equatable {
    case request
    case response
    /// Refused with this status; the stream goes on.
    case refused(Int)
    case droppedResponse
    /// The stream cannot go on.
    case broken
    case incomplete
  }

  static let rows: [(String, Verdict)] = [
    ("wsinv", .request), ("intmeth", .request), ("esc01", .request), ("escnull", .request), ("esc02", .request),
    ("lwsdisp", .request), ("longreq", .request), ("dblreq", .request), ("semiuri", .request),
    ("transports", .request), ("mpart01", .request), ("unreason", .response), ("noreason", .response),
    ("badinv01", .refused(400)), ("clerr", .incomplete), ("ncl", .broken), ("scalar02", .refused(400)),
    ("scalarlg", .droppedResponse), ("quotbal", .refused(400)), ("ltgtruri", .refused(400)),
    ("lwsruri", .refused(400)), ("lwsstart", .refused(400)), ("trws", .refused(400)), ("escruri", .request),
    ("baddate", .request), ("regbadct", .request), ("badaspec", .refused(400)), ("baddn", .refused(400)),
    ("badvers", .refused(505)), ("mismatch01", .refused(400)), ("mismatch02", .refused(400)), ("bigcode", .broken),
    ("badbranch", .request), ("insuf", .refused(400)), ("unkscm", .request), ("novelsc", .request),
    ("unksm2", .request), ("bext01", .request), ("invut", .request), ("regaut01", .request),
    ("multi01", .refused(400)), ("mcl01", .broken), ("bcast", .response), ("zeromf", .request),
    ("cparam01", .request), ("cparam02", .request), ("regescrt", .request), ("sdp01", .request),
    ("inv2543", .broken), ("test", .broken),
  ]

  @Test(arguments: rows) func verdict(name: String, expected: Verdict) {
    // The archive's copy of this one lacks the empty line.
    let bytes = TortureMessages.bytes(name) + (name == "baddn" ? [0x0D, 0x0A] : [])
    #expect(bytes.count > 2)
    #expect(Self.judge(events(of: bytes).first) == expected)
  }

  static func judge(_ event: StreamFramer.Event?) -> Verdict {
    switch event {
    case nil: return .incomplete
    case .ping: return .incomplete
    case .broken: return .broken
    case .dropped: return .droppedResponse
    case .malformed(_, let defect): return .refused(defect.status)
    case .message(.request(let request)):
      do throws(SIPDefect) {
        _ = try request.essentials()
        return .request
      } catch {
        return .refused(error.status)
      }
    case .message(.response(let response)):
      return (try? response.essentials()) == nil ? .droppedResponse : .response
    }
  }

  @Test func foldedAndSpacedHeadersAreRead() throws {
    guard case .message(.request(let request)) = events(of: TortureMessages.bytes("wsinv")).first else {
      Issue.record("not a request")
      return
    }
    let essentials = try request.essentials()
    #expect(essentials.cSeq == CSeq(9, .invite))
    #expect(essentials.maxForwards == 68)
    #expect(essentials.toTag == "1918181833n")
    #expect(essentials.fromTag == "98asjd8")
    #expect(essentials.from.displayName == "J Rosenberg \\\"")
    #expect(essentials.via.branch == "390skdjuw")
    #expect(request.headers.list(.via).count == 3)
    #expect(request.headers["newfangledheader"] == "newfangled value   continued newfangled value")
    #expect(request.headers["UnknownHeaderWithUnusualValue"] == ";;,,;;,;")
    #expect(request.headers.first(.subject)?.isEmpty == true)
  }

  @Test func reasonPhraseKeepsItsCharacters() {
    guard case .message(.response(let response)) = events(of: TortureMessages.bytes("unreason")).first else {
      Issue.record("not a response")
      return
    }
    #expect(response.reason == "= 2**3 * 5**2 но сто девяносто девять - простое")
  }

  @Test func methodOfEveryTokenCharacter() throws {
    guard case .message(.request(let request)) = events(of: TortureMessages.bytes("intmeth")).first else {
      Issue.record("not a request")
      return
    }
    #expect(request.method == .other("!interesting-Method0123456789_*+`.%indeed'~"))
    #expect(request.uri?.host == "example.com")
    #expect(try request.essentials().from.displayName?.isEmpty == false)
  }

  @Test func rfc2543BranchIsNoTransactionIdentifier() throws {
    guard case .message(.request(let request)) = events(of: TortureMessages.bytes("badbranch")).first else {
      Issue.record("not a request")
      return
    }
    var other = try request.essentials()
    let key = ServerTransactionKey(other, method: .options)
    other.callID = "another"
    #expect(key != ServerTransactionKey(other, method: .options))
  }
}
