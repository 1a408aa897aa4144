import Testing

@testable import ConfigCore

@Suite struct LineLocatorTests {
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
      ("section.list[3]", 14), ("section.list[4]", 14), ("section.list[5]", nil), ("section.after", 16),
      ("section.after.y.z", 16), ("section.key", nil), ("no", nil), ("many", 18), ("many[1]", 18), ("many[1].k", 19),
      ("many[1].inner", 20), ("many[1].inner.k", 21), ("many[2]", 22), ("many[2].k", 23), ("many[2].deep[1].k", 25),
      ("many[2].deep[2]", 26), ("many[2].deep[2].k", 27), ("comment", nil),
    ] as [(String, Int?)])
  func lines(path: String, line: Int?) {
    #expect(LineLocator(Array(Self.text.utf8)).lines[path] == line)
  }

  @Test func theTextIsTOML() throws {
    #expect(try Document(Array(Self.text.utf8)).root.count == 4)
  }

  @Test func whatIsMissingIsWhereItShouldBe() throws {
    let document = try Document(Array(Self.text.utf8))
    #expect(document.line(of: "many[2].deep[2].missing") == 26)
    #expect(document.line(of: "section.list[9]") == 10)
    #expect(document.line(of: "elsewhere.x") == nil)
  }

  @Test(
    arguments: [
      (#"a = "\u0000""#, 1), ("a = 1\nb = \"\"\"\nx\\U00000000\"\"\"", 3), (#"a = '\u0000'"#, nil),
      (#"a = "\\u0000""#, nil),
      (#"a = "\u00001""#, 1), (#""\u0000" = 1"#, 1),
    ] as [(String, Int?)])
  func escapedNUL(text: String, line: Int?) {
    #expect(LineLocator(Array(text.utf8)).lineOfNUL == line)
  }

  /// It is only given what the parser accepted; but it ends, whatever it is given.
  @Test func everyPrefixEnds() {
    let bytes = Array(Self.text.utf8)
    for count in 0...bytes.count { _ = LineLocator(Array(bytes.prefix(count))) }
    for byte in UInt8.min...UInt8.max { _ = LineLocator([byte, byte, byte, byte, byte, byte]) }
    _ = LineLocator(Array(repeating: UInt8(ascii: "["), count: 100_000))
    _ = LineLocator(Array("a=".utf8) + Array(repeating: UInt8(ascii: "["), count: 100_000))
  }

  @Test func deepNestingIsAnErrorNotACrash() {
    let deep = "a = " + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(read(deep).errors.count == 1)
    #expect(read(deep).errors.first?.line == 1)
  }
}
