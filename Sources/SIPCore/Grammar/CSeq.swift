/// `CSeq: 4711 INVITE`. The number is below 2**31 (RFC 3261 §8.1.1.5).
package struct CSeq: Hashable, Sendable {
  package var number: UInt32
  package var method: Method

  package static let largest: UInt32 = 1 << 31 - 1

  package init(_ number: UInt32, _ method: Method) {
    self.number = number
    self.method = method
  }

  package init?(parsing bytes: ArraySlice<UInt8>) {
    var cursor = Cursor(bytes)
    guard let number: UInt32 = ASCII.number(cursor.take(while: ASCII.isDigit)), number <= Self.largest,
      cursor.peek.map(ASCII.isBlank) == true
    else { return nil }
    cursor.skipBlanks()
    guard let method = Method(parsing: cursor.rest) else { return nil }
    self.init(number, method)
  }
}

extension CSeq: CustomStringConvertible {
  package var description: String { "\(number) \(method.name)" }
}
