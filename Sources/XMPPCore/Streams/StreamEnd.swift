/// Why a stream is over.
package enum StreamEnd: Error, Hashable, Sendable {
  /// The peer said good-bye, or we did and it agreed.
  case closed
  /// We ended it with an error.
  case failed(StreamError)
  /// The peer ended it with an error.
  case failedByPeer(StreamError)
  /// We said good-bye and heard nothing more.
  case unanswered

  /// For the log.
  package var cause: String {
    switch self {
    case .closed: "closed"
    case .failed(let error): "\(error.condition.rawValue): \(error.cause)"
    case .failedByPeer(let error): error.cause
    case .unanswered: "peer did not close its side"
    }
  }
}
