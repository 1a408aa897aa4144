package import XMLStreaming

/// XEP-0203: tells the recipient when a message was really sent.
package enum Delay {
  /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
  package static func element(from domain: String, milliseconds: Int64) -> XMLElement {
    XMLElement(
      "delay", namespace: "urn:xmpp:delay",
      attributes: [("from", DomainName.onTheWire(domain)), ("stamp", stamp(milliseconds))])
  }

  /// XEP-0082 §3.2: `2026-11-21T09:05:03.120Z`.
  package static func stamp(_ milliseconds: Int64) -> String {
    let day = milliseconds.floored(by: 86_400_000)
    let rest = milliseconds - day * 86_400_000
    let (year, month, dayOfMonth) = date(day)
    let seconds = rest / 1000
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(seconds / 3600, 2)):"
      + "\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(rest % 1000, 3))Z"
  }

  /// The Gregorian date of a day counted from 1970-01-01. Years are taken from March on, so that the leap day is the
  /// last of its year, in cycles of 400 years.
  private static func date(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let day = day + 719_468
    let cycle = day.floored(by: 146_097)
    let dayOfCycle = day - cycle * 146_097
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension Int64 {
  fileprivate func floored(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
