/// A key that a peer sent to prove a domain, for that domain's own server to confirm (XEP-0220 §2.1).
package struct DialbackRequest: Hashable, Sendable {
  /// `remote` is the domain to be proved.
  package var pair: DomainPair
  /// The id of the stream that the key came on.
  package var streamID: String
  package var key: String

  package init(pair: DomainPair, streamID: String, key: String) {
    self.pair = pair
    self.streamID = streamID
    self.key = key
  }
}

/// What became of it.
package enum DialbackOutcome: Hashable, Sendable {
  case valid
  case invalid
  /// Nobody could be asked, or the answer was an error (XEP-0220 §2.4).
  case failed(StanzaError)
}
