import NIOCore
import NIOPosix
import Testing

@testable import AdminEndpoint

@Suite struct AdminEndpointTests {
  /// Sends one raw request and returns everything that came back until the server closed.
  private func ask(_ request: String, ready: Bool = true, limits: AdminEndpoint.Limits = .init()) async throws -> String
  {
    let group = MultiThreadedEventLoopGroup.singleton
    let endpoint = try await AdminEndpoint.start(
      address: "127.0.0.1", port: 0, on: group,
      content: AdminEndpoint.Content(
        metrics: { $0.makeSucceededFuture(Array("x 1\n".utf8)) },
        readiness: {
          $0.makeSucceededFuture([
            .init(name: "store", isReady: true, text: "open"), .init(name: "sip", isReady: ready, text: "platform"),
          ])
        }), limits: limits
    ).get()
    let channel = try await ClientBootstrap(group: group).connect(
      to: SocketAddress(ipAddress: "127.0.0.1", port: endpoint.port)
    ) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
      }
    }
    let answer = try await channel.executeThenClose { input, output in
      try await output.write(ByteBuffer(string: request))
      var text = ""
      for try await part in input { text += String(buffer: part) }
      return text
    }
    try await endpoint.stop().get()
    return answer
  }

  @Test(arguments: [
    ("GET /metrics", "200 OK", "x 1\n"), ("GET /healthz", "200 OK", "alive\n"),
    ("GET /readyz", "200 OK", "ready\nok   store: open\nok   sip: platform\n"),
    ("GET /nothing", "404 Not Found", "There are"), ("POST /metrics", "405 Method Not Allowed", "GET or HEAD only\n"),
    ("HEAD /healthz", "200 OK", ""),
  ])
  func answers(request: String, status: String, body: String) async throws {
    let answer = try await ask("\(request) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"))
    let content = answer.components(separatedBy: "\r\n\r\n").dropFirst().joined()
    if body.isEmpty { #expect(content.isEmpty) } else { #expect(content.hasPrefix(body)) }
  }

  @Test func tellsWhatIsNotReady() async throws {
    let answer = try await ask("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", ready: false)
    #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("FAIL sip: platform"))
  }

  @Test func garbageAndTooManyConnectionsAreClosed() async throws {
    #expect(try await ask("\u{16}\u{3}\u{1} no http at all\r\n\r\n").hasPrefix("HTTP/1.1 400"))
    var none = AdminEndpoint.Limits()
    none.connections = 0
    let refused = try? await ask("GET /healthz HTTP/1.1\r\n\r\n", limits: none)
    #expect(refused == nil || refused == "")
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}
