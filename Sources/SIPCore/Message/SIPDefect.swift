/// What is wrong with a message from a peer, and with which status it is answered where it can be.
package struct SIPDefect: Error, Hashable, Sendable {
  package var status: Int
  /// Goes out as the reason phrase: names the part of the message, never its content.
  package var text: String

  package init(_ status: Int, _ text: String) {
    self.status = status
    self.text = text
  }

  package init(_ text: String) { self.init(400, text) }
}
