import Foundation
import Testing

/// `Standards.md` lists every standard that the product's sources cite.
@Suite struct StandardsTests {
  @Test func everyCitedStandardIsListed() throws {
    let document = ImportTests.sources.appendingPathComponent("Gateway/Gateway.docc/Standards.md")
    let listed = try String(contentsOf: document, encoding: .utf8)
    var cited: [String: String] = [:]
    let files = FileManager.default.enumerator(at: ImportTests.sources, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift", !file.path.contains("/Lab/") else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /(RFC \d{4}|XEP-\d{4})/) { cited[String(match.1)] = file.lastPathComponent }
    }
    #expect(cited.count > 20)
    for (standard, file) in cited.sorted(by: { $0.key < $1.key }) {
      let isListed = listed.contains(standard)
      #expect(isListed, "\(standard), cited in \(file)")
    }
  }
}
