/// What this program calls itself, to operators and to peers (XEP-0092, User-Agent).
package enum Version {
  package static let name = "Drawbridge"
  package static let number = "0.1.0"
}
