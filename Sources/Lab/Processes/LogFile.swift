import Foundation

/// What a process wrote, read while it goes on writing.
package struct LogFile: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  package var text: String {
    guard let data = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: data, as: UTF8.self)
  }

  /// Bytes written so far: a mark to look from.
  package var mark: Int {
    ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
  }

  package func text(from mark: Int) -> String {
    guard let data = FileManager.default.contents(atPath: path), data.count > mark else { return "" }
    return String(decoding: data[mark...], as: UTF8.self)
  }

  package func contains(_ words: String) -> Bool { text.contains(words) }

  package func tail(_ count: Int) -> [String] {
    lines.suffix(count)
  }

  package func lines(containing words: String) -> [String] {
    lines.filter { $0.contains(words) }
  }

  /// CR LF, as in SIP, is one `Character`, and not the one that "\n" is.
  private var lines: [String] { text.split(whereSeparator: \.isNewline).map(String.init) }
}
