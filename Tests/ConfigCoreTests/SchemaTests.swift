import Foundation
import Testing

@testable import ConfigCore

@Suite struct SchemaTests {
  /// `Config/reference.toml` is made from the schema. To make it again: `UPDATE_REFERENCE=1 swift test --filter SchemaTests`.
  @Test func theReferenceFileIsUpToDate() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Config/reference.toml")
      .standardizedFileURL
    if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] != nil {
      try Data(Reference.text.utf8).write(to: file)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == Reference.text)
  }

  @Test func theReferenceIsAValidConfigurationOfDefaults() throws {
    let reading = read(Reference.text)
    #expect(reading.problems.isEmpty)
    let configuration = try #require(reading.configuration)
    #expect(configuration.queue == QueueSettings())
    #expect(configuration.xmpp == XMPPSettings())
    #expect(configuration.domains.count == 1)
    #expect(configuration.partners[0].port == nil)
    #expect(configuration.platforms[0].listen == Platform().listen)
  }

  @Test func theReferenceNamesEveryOption() {
    let lines = Reference.text.split(separator: "\n")
    for option in Schema.options {
      #expect(
        lines.contains { $0.hasPrefix("\(option.name) = ") || $0.hasPrefix("# \(option.name) = ") }, "\(option.path)")
    }
  }

  @Test func everyOptionIsDescribedOnce() {
    #expect(Set(Schema.options.map(\.path)).count == Schema.options.count)
    for option in Schema.options {
      #expect(option.help.count > 8 && option.help.hasSuffix("."), "\(option.path)")
      #expect(option.defaultValue != nil || option.example != nil, "\(option.path)")
      #expect(!option.isRequired || option.example != nil, "\(option.path)")
    }
  }

  @Test func secretsAreNotShown() {
    struct Hidden: Settings {
      var word = "hunter2"
      static let options: [Option<Hidden>] = [
        Option("word", \.word, .text("a word", fix: "write one") { $0 }, secret: true, "A word to keep.")
      ]
    }
    let info = Hidden.options[0].info(section: "hidden")
    #expect(info.isSecret)
    #expect(info.shown("\"hunter2\"") == "\"***\"")
    #expect(Schema.options[0].shown("\"x\"") == "\"x\"")
  }

  @Test(
    arguments: [
      ("time-to-life", "time-to-live"), ("timetolive", "time-to-live"), ("tiem-to-live", "time-to-live"),
      ("adress", nil), ("", nil), ("answerdelay", "answer-delay"),
    ] as [(String, String?)])
  func suggestions(word: String, expected: String?) {
    #expect(Suggestion.nearest(to: word, among: QueueSettings.options.map(\.name)) == expected)
  }

  @Test(
    arguments: [("kitten", "sitting", 3), ("", "abc", 3), ("ab", "ba", 1), ("same", "same", 0), ("abc", "", 3)]
      as [(String, String, Int)])
  func distances(a: String, b: String, expected: Int) {
    #expect(Suggestion.distance(a, b) == expected)
    #expect(Suggestion.distance(b, a) == expected)
  }
}
