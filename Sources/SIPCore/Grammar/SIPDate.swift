/// `Date: Sat, 21 Nov 2026 10:00:00 GMT` (RFC 3261 §20.17).
package enum SIPDate {
  /// `seconds` since 1970-01-01T00:00:00Z.
  package static func format(seconds: Int64) -> String {
    let day = floorDivide(seconds, 86_400)
    let second = seconds - day * 86_400
    let (year, month, dayOfMonth) = civil(daysSinceEpoch: day)
    let weekday = Int(floorModulo(day + 4, 7))
    return
      "\(weekdays[weekday]), \(pad(dayOfMonth)) \(months[month - 1]) \(year) \(timeOfDay(seconds: second)) GMT"
  }

  /// `HH:MM:SS`
  package static func timeOfDay(seconds: Int64) -> String {
    let second = Int(floorModulo(seconds, 86_400))
    return "\(pad(second / 3600)):\(pad(second / 60 % 60)):\(pad(second % 60))"
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// Days to the proleptic Gregorian calendar, in eras of 400 years that begin on 1 March.
  private static func civil(daysSinceEpoch: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = daysSinceEpoch + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (Int(year), Int(month), Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1))
  }

  private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((b - 1 - a) / b) }
  private static func floorModulo(_ a: Int64, _ b: Int64) -> Int64 { a - floorDivide(a, b) * b }
}
