import Testing

@testable import ConfigCore

@Suite struct DocumentTests {
  static let text = #"""
    # comment = 1
    top = 1
    a.b . c = "x" # [not]
    [section] # c
    long = """
    [[no]]
    key = 1 \""" more"""
    'quoted key' = '''
    x = 1'''
    list = [ # first
      "one", { in = 1, out = [
          2,
          3 ] },
      'a]b#', 1979-05-27T07:32:00Z,
    ]
    after = { x = 1, y.z = "}" }
    "with.period" = [
      0 ]

    [[many]]
    k = ""
    [many.inner]
    k = ''
    [[many]]
    k = """"a"""""
    [[many.deep]]
    k = 1
    [[many.deep]]
    k = 1
    """#

  @Test(
    arguments: [
      ("top", 2), ("a", 3), ("a.b", 3), ("a.b.c", 3), ("section", 4), ("section.long", 5), ("section.quoted key", 8),
      ("section.list", 10), ("section.list[1]", 11), ("section.list[2]", 11), ("section.list[2].in", 11),
      ("section.list[2].out", 11), ("section.list[2].out[1]", 12), ("section.list[2].out[2]", 13),
      ("section.list[3]", 14), ("section.list[4]", 14), ("section.after", 16), ("section.after.y.z", 16),
      ("section.with.period", 17), ("many", 20), ("many[1]", 20), ("many[1].k", 21), ("many[1].inner", 22),
      ("many[1].inner.k", 23), ("many[2]", 24), ("many[2].k", 25), ("many[2].deep[1].k", 27), ("many[2].deep[2]", 28),
      ("many[2].deep[2].k", 29),
      // What is not there is where it should be.
      ("section.list[5]", 10), ("section.list[0]", 10), ("section.list[x]", 10), ("section.key", 4), ("no", nil),
      ("comment", nil), ("many[2].deep[2].missing", 28), ("many[3].k", 20), ("elsewhere.x", nil), ("", nil),
    ] as [(String, Int?)])
  func lines(path: String, line: Int?) throws {
    #expect(try Document(Array(Self.text.utf8)).line(of: path) == line)
  }

  @Test func valuesAreTakenOver() throws {
    let root = try Document(Array(Self.text.utf8)).root
    #expect(root.keys.sorted() == ["a", "many", "section", "top"])
    guard case .table(let section)? = root["section"], case .array(let list)? = section["list"],
      case .string(let long)? = section["long"], case .array(let many)? = root["many"]
    else { throw Complaint(problem: "not the values of the text", fix: "") }
    #expect(long == "[[no]]\nkey = 1 \"\"\" more")
    #expect(list.map(\.typeName) == ["a text in quotes", "a section", "a text in quotes", "a date and time"])
    #expect(many.count == 2)
  }

  @Test(
    arguments: [
      (#"a = "\u0000""#, 1), ("a = 1\nb = \"x\\U00000000\"", 2), (#"a = '\u0000'"#, nil), (#"a = "\\u0000""#, nil),
      (#"a = "\u00001""#, 1), (#""\u0000" = 1"#, 1), ("a = [\n'x',\n\"\\u0000\"]", 3),
    ] as [(String, Int?)])
  func escapedNUL(text: String, line: Int?) {
    let problem: ConfigurationProblem?
    do throws(ConfigurationProblem) {
      _ = try Document(Array(text.utf8))
      problem = nil
    } catch {
      problem = error
    }
    #expect(problem?.line == line)
    #expect(problem == nil || problem?.problem == "a text holds a NUL character")
  }

  static func lists(_ count: Int) -> String {
    "a = " + String(repeating: "[", count: count) + String(repeating: "]", count: count)
  }

  static func dotted(_ count: Int) -> String { "a" + String(repeating: ".a", count: count) }

  /// Five keys within one another, with as many parts as a line can have.
  static var deepest: String {
    "[\(dotted(1000))]\n"
      + (0..<5).map { _ in dotted(1000) }.joined(separator: " = [\n{ ") + " = 0" + String(repeating: " }]", count: 4)
  }

  /// The parser and we ourselves recurse; a limit comes before the end of the stack.
  @Test(
    arguments: [
      (lists(16), nil), (lists(17), "nested value depth of 16"), (lists(100_000), "nested value depth of 16"),
      ("\n" + dotted(63) + " = 1", nil), ("\n" + dotted(64) + " = 1", "nested too deep"),
      ("[" + dotted(1000) + "]", "nested too deep"), ("[" + dotted(1001) + "]", "too many dots"),
      ("[[" + dotted(300_000) + "]]", "too many dots"), ("# " + dotted(1000) + "\n# .", nil),
      (deepest, "nested too deep"),
    ].enumerated().map { ($0, $1.0, $1.1) } as [(Int, String, String?)])
  func depthIsBounded(row: Int, text: String, says: String?) {
    do throws(ConfigurationProblem) {
      _ = try Document(Array(text.utf8))
      #expect(says == nil)
    } catch {
      #expect(says.map(error.problem.contains) == true, "\(error)")
      #expect(error.line != nil)
    }
  }

  /// Typing errors that toml++ 3.3 has assertions against.
  @Test(arguments: ["[}", "a = 1\n[}b]", "a = \u{E9}", "a = 1 \u{E9}", "a = 1\n\u{E9} = 1", "[a\u{3000}b]", "a = ["])
  func typingErrorsHaveAPlace(text: String) {
    #expect(throws: ConfigurationProblem.self) { _ = try Document(Array(text.utf8)) }
    #expect(read(text).errors.map { $0.line ?? 0 > 0 } == [true])
  }

  /// Half a file is an error with a line, or a shorter file.
  @Test func everyPrefixIsRead() {
    let bytes = Array(Self.text.utf8)
    for count in 0...bytes.count {
      do throws(ConfigurationProblem) {
        _ = try Document(Array(bytes.prefix(count)))
      } catch {
        #expect((1...30).contains(error.line ?? 0), "\(count): \(error)")
        #expect(error.problem.contains("while parsing"), "\(error)")
      }
    }
  }
}
