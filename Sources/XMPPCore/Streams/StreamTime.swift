/// A moment on a clock that never goes back, in milliseconds. Machines are told it, they never ask for it.
package struct StreamTime: Hashable, Comparable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
  package static func + (a: Self, b: Duration) -> Self {
    Self(milliseconds: a.milliseconds + b.components.seconds * 1000 + b.components.attoseconds / 1_000_000_000_000_000)
  }
}
