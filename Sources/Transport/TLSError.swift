/// Why a TLS context could not be made. The text names the file and what is wrong with it.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
