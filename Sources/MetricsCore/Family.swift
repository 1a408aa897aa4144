import Synchronization

/// All series of one name, told apart by their label values.
///
/// Bounded: beyond `capacity` series a new combination is counted under `other` in every label, so that no peer can make the
/// endpoint grow by inventing names.
package final class Family<Instrument: Sendable>: Sendable {
  package static var overflow: String { "other" }

  package let name: String
  package let help: String
  package let labels: [String]
  package let capacity: Int
  private let make: @Sendable () -> Instrument
  private let series = Mutex<[[String]: Instrument]>([:])

  package init(
    _ name: String, help: String, labels: [String] = [], capacity: Int = 1000,
    make: @escaping @Sendable () -> Instrument
  ) {
    self.name = name
    self.help = help
    self.labels = labels
    self.capacity = capacity
    self.make = make
  }

  /// The instrument of these label values, in the order of `labels`. Keep it where it is used often.
  package func with(_ values: String...) -> Instrument {
    precondition(values.count == labels.count, "\(name) has the labels \(labels)")
    return series.withLock { series in
      if let instrument = series[values] { return instrument }
      let key =
        labels.isEmpty || series.count < capacity
        ? values : Array(repeating: Self.overflow, count: labels.count)
      if let instrument = series[key] { return instrument }
      let instrument = make()
      series[key] = instrument
      return instrument
    }
  }

  /// All series, sorted, so that two scrapes compare.
  package var all: [(values: [String], instrument: Instrument)] {
    series.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
  }
}
