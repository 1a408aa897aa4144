import Foundation
import NIOCore
import Transport
import XMLStreaming

/// A component (XEP-0114) that sends every message back to its sender: the nearest job to a gateway's that a plain
/// XMPP server can be measured at. Confined to its event loop, which is all that makes it Sendable.
package final class EchoComponent: ConnectionHandler, @unchecked Sendable {
  let domain: String
  let secret: String
  let loop: any EventLoop
  let ready: EventLoopPromise<Void>
  var connection: Connection?
  var parser = XMLStreamParser(limits: .authenticated)
  var isReady = false

  package init(domain: String, secret: String, on loop: any EventLoop) {
    self.domain = domain
    self.secret = secret
    self.loop = loop
    ready = loop.makePromise()
  }

  package func dial(port: Int) -> EventLoopFuture<Void> {
    let endpoint = Endpoint(host: domain, address: "127.0.0.1", port: port, tls: false)
    Dialler.connect(to: [endpoint], on: loop).whenComplete { [self] result in
      switch result {
      case .success(let (connection, _)):
        self.connection = connection
        connection.handler = self
        write(
          "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
            + "xmlns:stream='http://etherx.jabber.org/streams' to='\(domain)'>")
      case .failure(let error): ready.fail(error)
      }
    }
    return ready.futureResult
  }

  private func write(_ text: String) { connection?.write(Array(text.utf8)) }

  package func connectionSecured(_ connection: Connection, session: TLSSession) {}
  package func connectionWritabilityChanged(_ connection: Connection) {}

  package func connectionClosed(_ connection: Connection, reason: CloseReason) {
    if !isReady { ready.fail(LabError("the component's connection ended: \(reason)")) }
    isReady = true
  }

  package func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    var events: [XMLStreamEvent] = []
    do { try parser.feed(bytes, into: &events) } catch { return connection.close() }
    for event in events {
      switch event {
      case .opened(let header, _):
        do { write("<handshake>\(try SHA1.hex((header["id"] ?? "") + secret))</handshake>") } catch {
          connection.close()
        }
      case .element(let element): received(element)
      case .closed: connection.close()
      }
    }
  }

  private func received(_ element: XMLElement) {
    switch element.name.local {
    case "handshake":
      isReady = true
      ready.succeed()
    case "message" where element["type"] != "error":
      let body = element.child("body", element.name.namespace)?.text ?? ""
      write(
        "<message from='\(element["to"] ?? domain)' to='\(element["from"] ?? "")' type='chat' "
          + "id='\(element["id"] ?? "")'><body>\(XMLNode.escape(body))</body></message>")
    default: break
    }
  }
}

/// XEP-0114 proves the secret by SHA-1. Nothing else here uses it, so coreutils do the sum.
private enum SHA1 {
  static func hex(_ text: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sha1sum")
    let input = Pipe()
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try input.fileHandleForWriting.close()
    let sum = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: sum.prefix(40), as: UTF8.self)
  }
}
