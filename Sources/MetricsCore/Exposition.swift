/// The Prometheus text format 0.0.4.
package struct Exposition: Sendable {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func add(_ family: Family<Counter>) {
    head(family.name, family.help, "counter")
    for (values, counter) in family.all { line(family.name, family.labels, values, "\(counter.current)") }
  }

  /// - Parameter type: `counter` for what only grows but is not whole.
  package mutating func add(_ family: Family<Gauge>, type: String = "gauge") {
    head(family.name, family.help, type)
    for (values, gauge) in family.all { line(family.name, family.labels, values, Self.number(gauge.current)) }
  }

  package mutating func add(_ family: Family<Histogram>) {
    head(family.name, family.help, "histogram")
    for (values, histogram) in family.all {
      let (cumulative, sum) = histogram.current
      let bounds = histogram.bounds.map(Self.number) + ["+Inf"]
      for (bound, count) in zip(bounds, cumulative) {
        line(family.name + "_bucket", family.labels + ["le"], values + [bound], "\(count)")
      }
      line(family.name + "_sum", family.labels, values, Self.number(sum))
      line(family.name + "_count", family.labels, values, "\(cumulative.last ?? 0)")
    }
  }

  private mutating func head(_ name: String, _ help: String, _ type: String) {
    bytes += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(type)\n".utf8
  }

  private mutating func line(_ name: String, _ labels: [String], _ values: [String], _ value: String) {
    bytes += name.utf8
    if !labels.isEmpty {
      let pairs = zip(labels, values).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
      bytes += "{\(pairs.joined(separator: ","))}".utf8
    }
    bytes += " \(value)\n".utf8
  }

  /// Whole numbers without a fraction.
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  /// A hostile value can neither end its quotes nor begin a line.
  static func escaped(_ text: String, quotes: Bool) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\"" where quotes: out += "\\\""
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}
