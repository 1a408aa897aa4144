/// A number with a unit: durations and sizes.
private struct Unit: Sendable {
  var symbol: String
  var factor: Int

  /// Smallest first; each factor is a multiple of the one before.
  static let time = [
    Unit(symbol: "ms", factor: 1), Unit(symbol: "s", factor: 1000), Unit(symbol: "m", factor: 60_000),
    Unit(symbol: "h", factor: 3_600_000), Unit(symbol: "d", factor: 86_400_000),
  ]
  static let size = [
    Unit(symbol: "B", factor: 1), Unit(symbol: "KiB", factor: 1 << 10), Unit(symbol: "MiB", factor: 1 << 20),
    Unit(symbol: "GiB", factor: 1 << 30),
  ]

  /// nil for anything but digits and one of the units, and for what an Int does not hold.
  static func parse(_ text: String, _ units: [Unit]) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let symbol = text[digits.endIndex...]
    guard let number = Int(digits), let unit = units.first(where: { $0.symbol == symbol }) else { return nil }
    let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
    return overflow ? nil : value
  }

  static func render(_ value: Int, _ units: [Unit]) -> String {
    let unit = units.last { value % $0.factor == 0 && value >= $0.factor } ?? units[0]
    return "\(value / unit.factor)\(unit.symbol)"
  }
}

extension ValueType where Value == Duration {
  static func duration(_ range: ClosedRange<Duration>) -> Self {
    measure(
      kind: "a duration", example: "30s", units: "ms, s, m, h, d", range,
      parse: { Unit.parse($0, Unit.time).map { .milliseconds($0) } }, text: { $0.configurationText })
  }
}

extension ValueType where Value == Int {
  /// Bytes.
  static func size(_ range: ClosedRange<Int>) -> Self {
    measure(
      kind: "a size", example: "64KiB", units: "B, KiB, MiB, GiB", range,
      parse: { Unit.parse($0, Unit.size) }, text: { Unit.render($0, Unit.size) })
  }
}

extension ValueType where Value: Comparable {
  fileprivate static func measure(
    kind: String, example: String, units: String, _ range: ClosedRange<Value>,
    parse: @escaping @Sendable (String) -> Value?, text: @escaping @Sendable (Value) -> String
  ) -> Self {
    let name = "\(kind) from \(text(range.lowerBound)) to \(text(range.upperBound))"
    let fix = "write a whole number and a unit (\(units)) in quotes, like \"\(example)\""
    return Self(name: name) { (node) throws(Complaint) in
      guard case .string(let string) = node else { throw .wrongType(node, wanted: kind, fix: fix) }
      guard let value = parse(string) else { throw Complaint(problem: "\(quoted(string)) is not \(kind)", fix: fix) }
      guard range.contains(value) else { throw .outOfRange(quoted(string), name) }
      return value
    } render: {
      quoted(text($0))
    }
  }
}

extension Duration {
  /// As the file has it: in the largest unit that leaves a whole number.
  var configurationText: String {
    let (seconds, attoseconds) = components
    return Unit.render(Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000), Unit.time)
  }
}
