package import ConfigCore
import Glibc

/// A configuration file on disk.
package enum ConfigurationFile {
  /// More than any sensible configuration.
  static let sizeLimit = 16 << 20

  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  /// Reads and verifies the file, the certificates and keys that it names included.
  package static func read(_ path: String) throws(Failure) -> Configuration.Reading {
    var reading = Configuration.read(try contents(of: path), fileProblem: { problem(with: $0.path) })
    guard let configuration = reading.configuration else { return reading }
    for mistake in Credentials.problems(of: configuration) {
      reading.problems.append(mistake)
      if mistake.severity == .error { reading.configuration = nil }
    }
    return reading
  }

  static func contents(of path: String) throws(Failure) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(description: "\(path): \(errorText())") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(description: "\(path): \(errorText())")
      }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= sizeLimit else { throw Failure(description: "\(path): larger than \(sizeLimit) bytes") }
    }
  }

  private static func problem(with path: String) -> String? {
    unsafe access(path, R_OK) == 0 ? nil : errorText()
  }

  private static func errorText() -> String { unsafe String(cString: strerror(errno)) }
}
