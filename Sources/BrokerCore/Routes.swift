/// Which adapter a domain is reached through, and which side of the gateway it is on.
package struct Route: Hashable, Sendable {
  package enum Side: Sendable {
    /// The organisation's own platform.
    case organisation
    /// A federated partner.
    case partner
  }

  package var side: Side
  package var destination: Destination

  package init(side: Side, adapter: AdapterID, domain: String) {
    self.side = side
    self.destination = Destination(adapter: adapter, domain: domain)
  }
}

/// Deny by default: a domain that is not in the table is neither heard nor reached.
package struct Routes: Sendable {
  private var table: [String: Route] = [:]

  package init(_ routes: [Route] = []) {
    for route in routes { table[route.destination.domain] = route }
  }

  package subscript(domain: String) -> Route? { table[domain] }

  package var all: some Collection<Route> { table.values }

  /// Says where something from `from` for `to` goes that was handed in by `adapter`, or why it goes nowhere.
  ///
  /// A sender is believed only from the adapter that its domain belongs to, and everything crosses from one side to the
  /// other: a platform that sends a partner's message back, or a partner that would reach another partner through
  /// us, is refused, which is what keeps two gateways from throwing a message to and fro for ever.
  package func resolve(from: Address, to: Address, adapter: AdapterID) throws(DeliveryError) -> Route {
    guard let origin = table[from.domain], origin.destination.adapter == adapter else {
      throw DeliveryError(
        .forbidden, text: "Messages from \(from.domain) are not accepted here.",
        detail: "rule origin-domain: \(from.domain) is not a configured domain of \(adapter)")
    }
    guard let route = table[to.domain] else {
      throw DeliveryError(
        .remoteServerNotFound, text: "There is no way to \(to.domain) from here.",
        detail: "rule allowed-domains: \(to.domain) is neither a domain served nor a configured partner")
    }
    guard route.side != origin.side else {
      throw DeliveryError(
        .notAllowed, text: "Messages from \(from.domain) to \(to.domain) do not pass here.",
        detail: "rule crossing: \(from.domain) and \(to.domain) are on the same side of the gateway")
    }
    return route
  }
}
