import Testing

@testable import MetricsCore

@Suite struct MetricsTests {
  @Test func formatOfCountersAndGauges() {
    let family = Family("x_total", help: "A\nB", labels: ["peer"]) { Counter() }
    family.with("a\"\\\n").add(3)
    var text = Exposition()
    text.add(family)
    #expect(
      String(decoding: text.bytes, as: UTF8.self)
        == "# HELP x_total A\\nB\n# TYPE x_total counter\nx_total{peer=\"a\\\"\\\\\\n\"} 3\n")
  }

  @Test func histogramIsCumulative() {
    let family = Family("d_seconds", help: "D", labels: []) { Histogram(bounds: [0.1, 1]) }
    for value in [0.05, 0.5, 0.5, 5] { family.with().observe(value) }
    var text = Exposition()
    text.add(family)
    let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").dropFirst(2)
    #expect(
      Array(lines) == [
        "d_seconds_bucket{le=\"0.1\"} 1", "d_seconds_bucket{le=\"1\"} 3", "d_seconds_bucket{le=\"+Inf\"} 4",
        "d_seconds_sum 6.05", "d_seconds_count 4",
      ])
  }

  @Test func aPeerCannotMakeItGrow() {
    let family = Family("x", help: "", labels: ["peer"], capacity: 3) { Counter() }
    for n in 0..<1000 { family.with("evil\(n).test").add() }
    #expect(family.all.count == 4)
    #expect(family.with("other").current == 997)
    #expect(family.with("evil0.test").current == 1)
  }

  @Test func threadsDoNotLoseCounts() async {
    let counter = Counter()
    let gauge = Gauge()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<10_000 {
            counter.add()
            gauge.add(1)
          }
        }
      }
    }
    #expect(counter.current == 80_000 && gauge.current == 80_000)
  }

  @Test func everyMetricOfTheCatalogueIsShownOnce() {
    let catalogue = Catalogue()
    let text = String(decoding: catalogue.exposition(), as: UTF8.self)
    let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
    let families = Mirror(reflecting: catalogue).children.count
    #expect(names.count == families && Set(names).count == families)
    for name in names {
      #expect(name.hasPrefix("drawbridge_") || name.hasPrefix("process_"))
    }
  }
}
