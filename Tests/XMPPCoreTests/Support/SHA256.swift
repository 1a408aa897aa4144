/// FIPS 180-4, for tests: the core takes its cryptography from outside.
enum TestCrypto {
  static func sha256(_ message: [UInt8]) -> [UInt8] {
    var h: [UInt32] = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    var data = message + [0x80]
    while data.count % 64 != 56 { data.append(0) }
    data += (0..<8).map { UInt8(truncatingIfNeeded: UInt64(message.count * 8) >> UInt64(56 - 8 * $0)) }
    for start in stride(from: 0, to: data.count, by: 64) {
      var w = (0..<16).map { i in (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(data[start + 4 * i + $1]) } }
      for i in 16..<64 {
        let a = w[i - 15].rotated(7) ^ w[i - 15].rotated(18) ^ (w[i - 15] >> 3)
        let b = w[i - 2].rotated(17) ^ w[i - 2].rotated(19) ^ (w[i - 2] >> 10)
        w.append(w[i - 16] &+ a &+ w[i - 7] &+ b)
      }
      var v = h
      for i in 0..<64 {
        let s1 = v[4].rotated(6) ^ v[4].rotated(11) ^ v[4].rotated(25)
        let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
        let t1 = v[7] &+ s1 &+ choice &+ constants[i] &+ w[i]
        let s0 = v[0].rotated(2) ^ v[0].rotated(13) ^ v[0].rotated(22)
        let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
        v = [t1 &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
      }
      for i in 0..<8 { h[i] &+= v[i] }
    }
    return h.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
  }

  static func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    var key = key.count > 64 ? sha256(key) : key
    key += [UInt8](repeating: 0, count: 64 - key.count)
    return sha256(key.map { $0 ^ 0x5c } + sha256(key.map { $0 ^ 0x36 } + data))
  }

  /// The fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = {
    let primes = (2...311).filter { n in !(2..<n).contains { $0 * $0 <= n && n % $0 == 0 } }
    return primes.prefix(64).map { prime in
      // floor(cbrt(p) · 2^32) by bisection in 128-bit integers, then the low 32 bits.
      var low: UInt128 = 0
      var high: UInt128 = 1 << 36
      while low + 1 < high {
        let middle = (low + high) / 2
        if middle * middle * middle <= UInt128(prime) << 96 { low = middle } else { high = middle }
      }
      return UInt32(truncatingIfNeeded: low)
    }
  }()
}

extension UInt32 {
  fileprivate func rotated(_ bits: UInt32) -> UInt32 { self >> bits | self << (32 - bits) }
}
