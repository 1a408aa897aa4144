import Foundation
import Testing
import XMPPCore

@Suite struct DelayTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (1_709_164_799_999, "2024-02-28T23:59:59.999Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
    ] as [(Int64, String)])
  func stamps(milliseconds: Int64, text: String) { #expect(Delay.stamp(milliseconds) == text) }

  /// Every day of 400 years, against another calendar.
  @Test func calendar() {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(identifier: "UTC")!
    for day in stride(from: Int64(0), to: 146_097, by: 7) {
      let parts = calendar.dateComponents(
        [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
      let expected = String(format: "%04d-%02d-%02d", parts.year!, parts.month!, parts.day!)
      if !Delay.stamp(day * 86_400_000).hasPrefix(expected) { Issue.record("\(day): \(expected)") }
    }
  }
}
