/// RFC 3492: an internationalised label as ASCII, and back.
enum Punycode {
  private static let base: UInt32 = 36
  private static let tMin: UInt32 = 1
  private static let tMax: UInt32 = 26

  /// The label without its `xn--`; nil if it is too long to be one.
  static func encode(_ label: [Unicode.Scalar]) -> [UInt8]? {
    guard label.count <= DomainName.maximumLabelLength else { return nil }
    var output = label.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
    let basicCount = UInt32(output.count)
    var handled = basicCount
    if basicCount > 0 { output.append(UInt8(ascii: "-")) }
    var n: UInt32 = 128
    var delta: UInt32 = 0
    var bias: UInt32 = 72
    while handled < UInt32(label.count) {
      guard let next = label.lazy.map(\.value).filter({ $0 >= n }).min() else { return nil }
      // At most 63 scalars below 0x110000: neither product nor sum can overflow 32 bits.
      delta += (next - n) * (handled + 1)
      n = next
      for scalar in label {
        if scalar.value < n { delta += 1 }
        guard scalar.value == n else { continue }
        appendVariableLength(delta, bias: bias, to: &output)
        bias = adapted(delta, points: handled + 1, first: handled == basicCount)
        delta = 0
        handled += 1
      }
      delta += 1
      n += 1
    }
    return output
  }

  private static func appendVariableLength(_ delta: UInt32, bias: UInt32, to output: inout [UInt8]) {
    var q = delta
    var k = base
    while true {
      let threshold = k <= bias ? tMin : (k >= bias + tMax ? tMax : k - bias)
      if q < threshold { break }
      output.append(digit(threshold + (q - threshold) % (base - threshold)))
      q = (q - threshold) / (base - threshold)
      k += base
    }
    output.append(digit(q))
  }

  /// The label behind an `xn--`, in lower case; nil if it is no encoding of one.
  static func decode(_ text: Substring.UTF8View) -> [Unicode.Scalar]? {
    guard text.count <= DomainName.maximumLabelLength, text.allSatisfy({ $0 < 0x80 }) else { return nil }
    var rest = text
    var output: [Unicode.Scalar] = []
    if let hyphen = text.lastIndex(of: UInt8(ascii: "-")) {
      output = text[..<hyphen].map { Unicode.Scalar($0) }
      rest = text[text.index(after: hyphen)...]
    }
    var n: UInt32 = 128
    var i: UInt32 = 0
    var bias: UInt32 = 72
    while !rest.isEmpty {
      let before = i
      var weight: UInt32 = 1
      var k = base
      while true {
        guard let byte = rest.popFirst(), let digit = value(of: byte) else { return nil }
        let (product, tooLarge) = digit.multipliedReportingOverflow(by: weight)
        let (sum, overflow) = i.addingReportingOverflow(product)
        guard !tooLarge, !overflow else { return nil }
        i = sum
        let threshold = k <= bias ? tMin : (k >= bias + tMax ? tMax : k - bias)
        if digit < threshold { break }
        let (next, overflows) = weight.multipliedReportingOverflow(by: base - threshold)
        guard !overflows else { return nil }
        weight = next
        k += base
      }
      let count = UInt32(output.count) + 1
      bias = adapted(i - before, points: count, first: before == 0)
      guard i / count <= 0x10FFFF, let scalar = Unicode.Scalar(n + i / count) else { return nil }
      n = scalar.value
      i %= count
      output.insert(scalar, at: Int(i))
      i += 1
    }
    return output
  }

  private static func value(of byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a"))
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 26
    default: nil
    }
  }

  private static func digit(_ value: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value)
    return value < 26 ? UInt8(ascii: "a") + value : UInt8(ascii: "0") + value - 26
  }

  // RFC 3492 §6.1
  private static func adapted(_ delta: UInt32, points: UInt32, first: Bool) -> UInt32 {
    var delta = first ? delta / 700 : delta / 2
    delta += delta / points
    var k: UInt32 = 0
    while delta > ((base - tMin) * tMax) / 2 {
      delta /= base - tMin
      k += base
    }
    return k + (base - tMin + 1) * delta / (delta + 38)
  }
}
