/// Names an entry of the delivery queue for ever. Ids grow: a larger one was accepted later.
package struct EntryID: Hashable, Comparable, Sendable {
  package var rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The adapter that a domain is reached through: `xmpp`, or a platform's name in the configuration.
package struct AdapterID: Hashable, Sendable, CustomStringConvertible {
  package var name: String
  package init(_ name: String) { self.name = name }
  package var description: String { name }
}

/// The unit of queueing: everything for one domain behind one adapter waits in one line.
package struct Destination: Hashable, Sendable, CustomStringConvertible {
  package var adapter: AdapterID
  package var domain: String
  package init(adapter: AdapterID, domain: String) {
    self.adapter = adapter
    self.domain = domain
  }
  package var description: String { domain }
}

/// What the gateway owes somebody: it rests in the store until delivery is confirmed, refused or out of time.
package struct Entry: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    case message(Message)
    case failure(FailureReport)
  }

  package var id: EntryID
  package var destination: Destination
  package var content: Content
  package var accepted: Timestamp
  package var expires: Timestamp

  package init(id: EntryID, destination: Destination, content: Content, accepted: Timestamp, expires: Timestamp) {
    self.id = id
    self.destination = destination
    self.content = content
    self.accepted = accepted
    self.expires = expires
  }

  package var sender: Address {
    switch content {
    case .message(let message): message.from
    case .failure(let report): report.recipient
    }
  }

  package var recipient: Address {
    switch content {
    case .message(let message): message.to
    case .failure(let report): report.sender
    }
  }

  /// What the entry costs the queue, in bytes: its texts plus a flat charge for the bookkeeping.
  package var cost: Int {
    switch content {
    case .message(let m):
      256 + m.body.utf8.count + m.id.utf8.count + (m.subject?.utf8.count ?? 0) + (m.thread?.utf8.count ?? 0)
    case .failure(let r): 256 + r.messageID.utf8.count + r.error.text.utf8.count + r.error.detail.utf8.count
    }
  }
}
