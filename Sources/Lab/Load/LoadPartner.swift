import NIOCore
import Transport
import XMLStreaming

/// A partner's XMPP server as the load tool plays it: one stream out, any number in, STARTTLS and SASL EXTERNAL on all,
/// stream management where the gateway offers it. Confined to its event loop, which is all that makes it Sendable.
///
/// As a sender it does what a careful server does: what the gateway has not acknowledged when a stream ends is sent
/// again, with the same ids, on the next one.
package final class LoadPartner: @unchecked Sendable {
  package let domain: String
  package let peer: String
  let loop: any EventLoop
  let server: TLSContext
  let client: TLSContext
  private var listener: Listener?
  private(set) var out: PartnerOut?

  /// Stanzas that the gateway delivers here.
  package var onStanza: ((XMLElement) -> Void)?
  /// How many of what `send` was given are acknowledged, in order of sending. Only with stream management.
  package var onAcknowledged: ((Int) -> Void)?
  package var onEstablished: (() -> Void)?
  package var onOutClosed: ((String) -> Void)?

  package init(
    domain: String, peer: String, certificate: Certificate, authority: String, on loop: any EventLoop
  ) throws {
    self.domain = domain
    self.peer = peer
    self.loop = loop
    let identity = try TLSIdentity(
      certificateFile: certificate.certificate, keyFile: certificate.key, domains: [domain])
    server = try TLSContext.server(identities: [identity], trust: .file(authority), options: TLSOptions())
    client = try TLSContext.client(identity: identity, trust: .file(authority), options: TLSOptions())
  }

  /// Answers the gateway's streams on this port.
  package func listen(port: Int) -> EventLoopFuture<Void> {
    Listener.bind(address: "127.0.0.1", port: port, on: loop, limits: ListenerLimits(), directTLS: nil) {
      [unowned self] connection in PartnerIn(partner: self, connection: connection)
    }.map { [self] in listener = $0 }
  }

  /// Opens the stream to the gateway. `onEstablished` tells when it may be used, `onOutClosed` when it ended.
  package func dial(port: Int) {
    let endpoint = Endpoint(host: peer, address: "127.0.0.1", port: port, tls: false)
    Dialler.connect(to: [endpoint], on: loop).whenComplete { [self] result in
      switch result {
      case .success(let (connection, _)): out = PartnerOut(partner: self, connection: connection)
      case .failure(let error): onOutClosed?("\(error)")
      }
    }
  }

  /// The XML of one stanza, complete, in the content namespace.
  package func send(_ stanza: [UInt8]) { out?.send(stanza) }

  package var isEstablished: Bool { out?.isEstablished ?? false }
  package var hasStreamManagement: Bool { out?.managed ?? false }

  /// Gives the stream to the gateway up, as a server does that has heard nothing for too long.
  package func abandon() { out?.connection.abort(.timeout("no acknowledgement")) }

  package func close() {
    listener?.stop()
    out?.connection.close()
  }

  fileprivate func header(id: String?) -> [UInt8] {
    Array(
      ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
        + "xmlns:stream='http://etherx.jabber.org/streams' from='\(domain)' to='\(peer)' version='1.0'"
        + (id.map { " id='\($0)'" } ?? "") + ">").utf8)
  }

  fileprivate func heard(_ stanza: XMLElement) {
    // A ping behind the messages asks whether they were processed; they were, stanzas are taken in order.
    if stanza.name.local == "iq", stanza["type"] == "get" {
      let id = XMLNode.escape(stanza["id"] ?? "")
      send(
        Array(
          "<iq type='result' id='\(id)' from='\(stanza["to"] ?? domain)' to='\(stanza["from"] ?? peer)'/>".utf8))
      return
    }
    onStanza?(stanza)
  }
}

private let tlsNamespace = "urn:ietf:params:xml:ns:xmpp-tls"
private let saslNamespace = "urn:ietf:params:xml:ns:xmpp-sasl"
private let managementNamespace = "urn:xmpp:sm:3"

/// A stream that the gateway opened.
final class PartnerIn: ConnectionHandler, @unchecked Sendable {
  unowned let partner: LoadPartner
  let connection: Connection
  var parser = XMLStreamParser(limits: .authenticated)
  var authenticated = false
  var handled: UInt32 = 0
  var events: [XMLStreamEvent] = []

  init(partner: LoadPartner, connection: Connection) {
    self.partner = partner
    self.connection = connection
  }

  func write(_ text: String) { connection.write(Array(text.utf8)) }

  func connectionSecured(_ connection: Connection, session: TLSSession) { parser.reset() }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    events.removeAll(keepingCapacity: true)
    do { try parser.feed(bytes, into: &events) } catch { return connection.close() }
    for event in events {
      switch event {
      case .opened: opened()
      case .element(let element): received(element)
      case .closed:
        write("</stream:stream>")
        connection.close()
      }
    }
  }

  private func opened() {
    connection.write(partner.header(id: "lab\(connection.id)"))
    if connection.session == nil {
      write("<stream:features><starttls xmlns='\(tlsNamespace)'><required/></starttls></stream:features>")
    } else if !authenticated {
      write(
        "<stream:features><mechanisms xmlns='\(saslNamespace)'><mechanism>EXTERNAL</mechanism></mechanisms>"
          + "</stream:features>")
    } else {
      write("<stream:features><sm xmlns='\(managementNamespace)'/></stream:features>")
    }
  }

  private func received(_ element: XMLElement) {
    switch (element.name.local, element.name.namespace) {
    case ("starttls", tlsNamespace):
      write("<proceed xmlns='\(tlsNamespace)'/>")
      connection.startTLS(partner.server, serverName: nil)
    case ("auth", saslNamespace):
      write("<success xmlns='\(saslNamespace)'/>")
      authenticated = true
      parser.reset()
    case ("enable", managementNamespace): write("<enabled xmlns='\(managementNamespace)'/>")
    case ("r", managementNamespace): write("<a xmlns='\(managementNamespace)' h='\(handled)'/>")
    case (_, "jabber:server"):
      handled &+= 1
      partner.heard(element)
    default: break
    }
  }

  func connectionWritabilityChanged(_ connection: Connection) {}
  func connectionClosed(_ connection: Connection, reason: CloseReason) {}
}

/// The stream to the gateway.
final class PartnerOut: ConnectionHandler, @unchecked Sendable {
  unowned let partner: LoadPartner
  let connection: Connection
  var parser = XMLStreamParser(limits: .authenticated)
  var authenticated = false
  var isEstablished = false
  var managed = false
  var sent = 0
  var asked = 0
  var acknowledged = 0
  var awaitingAnswer = false

  init(partner: LoadPartner, connection: Connection) {
    self.partner = partner
    self.connection = connection
    connection.handler = self
    connection.write(partner.header(id: nil))
  }

  func write(_ text: String) { connection.write(Array(text.utf8)) }

  func send(_ stanza: [UInt8]) {
    connection.write(stanza)
    sent += 1
    ask()
  }

  private func ask() {
    guard managed, !awaitingAnswer, sent > acknowledged else { return }
    awaitingAnswer = true
    write("<r xmlns='\(managementNamespace)'/>")
  }

  func connectionSecured(_ connection: Connection, session: TLSSession) {
    parser.reset()
    connection.write(partner.header(id: nil))
  }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    var events: [XMLStreamEvent] = []
    do { try parser.feed(bytes, into: &events) } catch { return connection.close() }
    for event in events {
      switch event {
      case .opened: break
      case .element(let element): received(element)
      case .closed: connection.close()
      }
    }
  }

  private func received(_ element: XMLElement) {
    switch (element.name.local, element.name.namespace) {
    case ("features", _): features(element)
    case ("proceed", tlsNamespace): connection.startTLS(partner.client, serverName: partner.peer)
    case ("success", saslNamespace):
      authenticated = true
      parser.reset()
      connection.write(partner.header(id: nil))
    case ("enabled", managementNamespace):
      managed = true
      established()
    case ("a", managementNamespace):
      let h = Int(element["h"] ?? "") ?? 0
      awaitingAnswer = false
      if h > acknowledged {
        partner.onAcknowledged?(h - acknowledged)
        acknowledged = h
      }
      // What the gateway holds back until it is safe is asked for again, without a storm.
      connection.eventLoop.scheduleTask(in: .milliseconds(1)) { [self] in ask() }
    case ("error", _): connection.close()
    default: break
    }
  }

  private func features(_ element: XMLElement) {
    if connection.session == nil {
      write("<starttls xmlns='\(tlsNamespace)'/>")
    } else if !authenticated {
      write("<auth xmlns='\(saslNamespace)' mechanism='EXTERNAL'>=</auth>")
    } else if element.child("sm", managementNamespace) != nil {
      write("<enable xmlns='\(managementNamespace)'/>")
    } else {
      established()
    }
  }

  private func established() {
    isEstablished = true
    partner.onEstablished?()
  }

  func connectionWritabilityChanged(_ connection: Connection) {}

  func connectionClosed(_ connection: Connection, reason: CloseReason) {
    guard partner.out === self else { return }
    isEstablished = false
    partner.outClosed(reason)
  }
}

extension LoadPartner {
  fileprivate func outClosed(_ reason: CloseReason) {
    out = nil
    onOutClosed?("\(reason)")
  }
}
