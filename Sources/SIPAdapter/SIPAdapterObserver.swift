package import BrokerCore

/// Who counts what the adapter does. Called on the adapter's loop, for every request: must be quick.
package protocol SIPAdapterObserver: Sendable {
  func observe(_ event: SIPAdapterEvent, platform: AdapterID)
}

package enum SIPAdapterEvent: Hashable, Sendable {
  package enum Direction: String, CaseIterable, Sendable {
    /// From the platform to us.
    case inbound
    /// From us to the platform.
    case outbound
  }

  /// A request and its final status; 0: there was none. `milliseconds` from the request to it.
  case concluded(Direction, method: String, status: Int, milliseconds: Int64)
  case connectionOpened(Direction)
  case connectionClosed(Direction)
  /// The next hop answers, or does not.
  case linkUp
  case linkDown
  /// A peer without a certificate that we trust.
  case peerRefused
  case connectionRefused(limit: String)
  /// Something arrived that cannot be read, or not be served as it is.
  case malformed(status: Int)
  /// Instant message sessions that are open or being opened.
  case sessions(Int)
}
