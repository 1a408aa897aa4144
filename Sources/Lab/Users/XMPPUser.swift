import Foundation

/// A person at an XMPP client: logs in at their own server over loopback, writes and reads.
package final class XMPPUser: @unchecked Sendable {
  /// A stanza and when its last byte was read.
  package struct Heard: Sendable {
    package let node: XMLNode
    package let at: ContinuousClock.Instant
    package let raw: String
  }

  package let jid: String
  package let stanzas = Inbox<Heard>()

  private let socket: Descriptor
  private let declarations = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"

  private var domain: String { jid.split(separator: "@", maxSplits: 1).last.map(String.init) ?? jid }
  private var user: String { jid.split(separator: "@", maxSplits: 1).first.map(String.init) ?? jid }

  /// Connects, authenticates (SASL PLAIN), binds `resource` and sends presence.
  /// - Parameter jid: bare, as it goes over the wire (XEP-0106 escapes included).
  package init(_ jid: String, password: String, port: Int, resource: String = "lab") async throws {
    self.jid = jid
    socket = Descriptor(try Loopback.connect(port))
    startReader()
    try await openStream()
    let token = Data("\0\(user)\0\(password)".utf8).base64EncodedString()
    send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(token)</auth>")
    let verdict = try await expect("an answer to <auth/>") { ["success", "failure"].contains($0.name) ? $0 : nil }
    guard verdict.name == "success" else {
      throw LabError("\(jid) may not log in: \(verdict.children.map(\.name).joined(separator: ", "))")
    }
    try await openStream()
    _ = try await query("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>\(resource)</resource></bind>")
    send("<presence/>")
  }

  deinit { socket.hangUp() }

  package func close() {
    send("<presence type='unavailable'/></stream:stream>")
    socket.hangUp()
  }

  package func send(_ xml: String) { writeAll(socket.number, Array(xml.utf8)) }

  /// Sends a chat message and returns its id.
  @discardableResult
  package func say(
    _ body: String, to: String, id: String = UUID().uuidString, type: String = "chat", more: String = ""
  ) -> String {
    let text = XMLNode.escape(body)
    send("<message to='\(XMLNode.escape(to))' id='\(id)' type='\(type)'><body>\(text)</body>\(more)</message>")
    return id
  }

  /// The next message with a body, errors left aside; from `sender` (bare) if one is named.
  package func hear(from sender: String? = nil, within limit: Duration = .seconds(10)) async throws -> Heard {
    try await heard("a message\(sender.map { " from \($0)" } ?? "")", within: limit) { heard in
      let node = heard.node
      guard node.name == "message", node["type"] != "error", node.child("body") != nil else { return nil }
      return sender == nil || Self.bare(node["from"]) == sender ? heard : nil
    }
  }

  /// The message with exactly this body.
  package func hear(body: String, within limit: Duration = .seconds(10)) async throws -> Heard {
    try await heard("the message \"\(body.prefix(60))\"", within: limit) { heard in
      heard.node.name == "message" && heard.node["type"] != "error" && heard.node.child("body")?.text == body
        ? heard : nil
    }
  }

  /// The error that answers the message `id`: its condition (RFC 6120 §8.3.3), type and text.
  package func error(
    for id: String, within limit: Duration = .seconds(10)
  ) async throws -> (condition: String, type: String, text: String?) {
    let heard = try await heard("an error for message \(id)", within: limit) {
      $0.node.name == "message" && $0.node["type"] == "error" && $0.node["id"] == id ? $0 : nil
    }
    guard let error = heard.node.child("error") else { throw LabError("error stanza without <error/>: \(heard.raw)") }
    let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
    let condition = error.children.first { $0.namespace == stanzas && $0.name != "text" }?.name ?? ""
    return (condition, error["type"] ?? "", error.child("text")?.text)
  }

  /// Sends an iq and returns its result; throws for an error.
  package func query(_ payload: String, type: String = "set", to: String? = nil) async throws -> XMLNode {
    let id = UUID().uuidString
    send("<iq type='\(type)' id='\(id)'\(to.map { " to='\(XMLNode.escape($0))'" } ?? "")>\(payload)</iq>")
    let answer = try await expect("an answer to iq \(id)") { $0.name == "iq" && $0["id"] == id ? $0 : nil }
    guard answer["type"] == "result" else { throw LabError("\(jid): iq refused: \(answer)") }
    return answer
  }

  package static func bare(_ jid: String?) -> String? {
    jid?.split(separator: "/", maxSplits: 1).first.map(String.init)
  }

  private func heard(
    _ what: String, within limit: Duration, where matches: @escaping (Heard) -> Heard?
  ) async throws -> Heard {
    if let heard = try await stanzas.first(within: limit, where: matches) { return heard }
    let others = stanzas.rest.suffix(8).map { String($0.raw.prefix(300)) }
    throw LabError("\(jid) did not get \(what) within \(limit)\(stanzas.end.map { " (\($0))" } ?? "")", log: others)
  }

  private func expect(_ what: String, where matches: @escaping (XMLNode) -> XMLNode?) async throws -> XMLNode {
    try await heard(what, within: .seconds(10)) { matches($0.node) == nil ? nil : $0 }.node
  }

  private func openStream() async throws {
    send("<?xml version='1.0'?><stream:stream to='\(domain)' version='1.0' \(declarations)>")
    _ = try await expect("stream features") { $0.name == "features" ? $0 : nil }
  }

  private func startReader() {
    let (socket, stanzas, declarations) = (socket, stanzas, declarations)
    startThread("xmpp \(jid)") {
      var splitter = StanzaSplitter()
      while let bytes = readSome(socket.number) {
        let now = ContinuousClock.now
        for piece in splitter.append(bytes) {
          switch piece {
          case .header:
            continue
          case .end:
            stanzas.end("the server closed the stream")
          case .stanza(let bytes):
            do {
              let node = try XMLNode.parse(bytes, declarations: declarations)
              stanzas.append(Heard(node: node, at: now, raw: String(decoding: bytes, as: UTF8.self)))
              // A stream restarts behind this: a new header follows on the same connection.
              if node.name == "success" { splitter = StanzaSplitter() }
            } catch {
              stanzas.end("\(error)")
            }
          }
        }
      }
      stanzas.end("the connection ended")
    }
  }
}
