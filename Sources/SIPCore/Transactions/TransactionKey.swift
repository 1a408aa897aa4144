/// What ties a message to a transaction (RFC 3261 §17.1.3, §17.2.3).
package struct ServerTransactionKey: Hashable, Sendable {
  private var branch: String
  private var sentBy: String
  private var method: Method

  package init(_ request: Essentials, method: Method) {
    sentBy = request.via.sentBy
    // An ACK for a non-2xx belongs to the INVITE's transaction.
    self.method = method == .ack ? .invite : method
    if let branch = request.via.branch, branch.hasPrefix(Via.magicCookie),
      branch.utf8.count > Via.magicCookie.utf8.count
    {
      self.branch = branch
    } else {
      // RFC 2543 gave no unique branch; these four stand in for it.
      branch = "\(request.callID) \(request.fromTag) \(request.cSeq.number) \(request.via.branch ?? "")"
    }
  }

  /// The transaction that a CANCEL with these essentials is meant for (RFC 3261 §9.2).
  package static func cancelled(by cancel: Essentials) -> Self { Self(cancel, method: .invite) }
}

package struct ClientTransactionKey: Hashable, Sendable {
  private var branch: String
  private var method: Method

  package init(branch: String, method: Method) {
    self.branch = branch
    self.method = method
  }

  /// `nil` for a response whose topmost Via carries no branch.
  package init?(_ response: Essentials) {
    guard let branch = response.via.branch else { return nil }
    self.init(branch: branch, method: response.cSeq.method)
  }
}
