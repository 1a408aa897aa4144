import MetricsCore
import NIOCore
import NIOHTTP1

/// Answers one request after the other on one connection.
final class RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// A watcher sends no body; more than this and it is none.
  static let bodyLimit = 1024

  private let content: AdminEndpoint.Content
  private let deadline: TimeAmount
  private var expiry: Scheduled<Void>?
  private var head: HTTPRequestHead?
  private var bodyBytes = 0

  init(content: AdminEndpoint.Content, deadline: TimeAmount) {
    self.content = content
    self.deadline = deadline
  }

  func channelActive(context: ChannelHandlerContext) {
    expectRequest(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    expiry?.cancel()
    context.fireChannelInactive()
  }

  /// The next request has to be complete in time; sending it byte by byte gains nothing.
  private func expectRequest(_ context: ChannelHandlerContext) {
    expiry?.cancel()
    let channel = context.channel
    expiry = context.eventLoop.scheduleTask(in: deadline) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      bodyBytes = 0
    case .body(let bytes):
      bodyBytes += bytes.readableBytes
      if bodyBytes > Self.bodyLimit { context.close(promise: nil) }
    case .end:
      guard let head else { return }
      self.head = nil
      answer(head, context: context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
    guard head.method == .GET || head.method == .HEAD else {
      return respond(
        .init(status: .methodNotAllowed, text: "GET or HEAD only\n", allow: "GET, HEAD"), to: head, context: context)
    }
    let reply: EventLoopFuture<Reply>
    switch head.uri.prefix(while: { $0 != "?" }) {
    case "/metrics":
      reply = content.metrics(context.eventLoop).map {
        Reply(status: .ok, type: Exposition.contentType, body: $0)
      }
    case "/healthz": reply = context.eventLoop.makeSucceededFuture(Reply(status: .ok, text: "alive\n"))
    case "/readyz": reply = content.readiness(context.eventLoop).map(Self.readiness)
    default:
      reply = context.eventLoop.makeSucceededFuture(
        Reply(status: .notFound, text: "There are /metrics, /healthz and /readyz.\n"))
    }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    reply.whenComplete { result in
      let (handler, context) = bound.value
      switch result {
      case .success(let reply): handler.respond(reply, to: head, context: context)
      case .failure:
        handler.respond(Reply(status: .internalServerError, text: "not available\n"), to: head, context: context)
      }
    }
  }

  private static func readiness(_ components: [AdminEndpoint.Component]) -> Reply {
    let isReady = components.allSatisfy(\.isReady)
    var text = isReady ? "ready\n" : "not ready\n"
    for component in components {
      text += "\(component.isReady ? "ok  " : "FAIL") \(component.name): \(component.text)\n"
    }
    return Reply(status: isReady ? .ok : .serviceUnavailable, text: text)
  }

  struct Reply: Sendable {
    var status: HTTPResponseStatus
    var type: String
    var body: [UInt8]
    var allow: String?

    init(status: HTTPResponseStatus, type: String, body: [UInt8]) {
      self.status = status
      self.type = type
      self.body = body
    }

    init(status: HTTPResponseStatus, text: String, allow: String? = nil) {
      self.init(status: status, type: "text/plain; charset=utf-8", body: Array(text.utf8))
      self.allow = allow
    }
  }

  private func respond(_ reply: Reply, to head: HTTPRequestHead, context: ChannelHandlerContext) {
    var headers: HTTPHeaders = [
      "Content-Type": reply.type, "Content-Length": "\(reply.body.count)", "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    ]
    if let allow = reply.allow { headers.add(name: "Allow", value: allow) }
    if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
    let response = HTTPResponseHead(version: head.version, status: reply.status, headers: headers)
    context.write(wrapOutboundOut(.head(response)), promise: nil)
    if head.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
    }
    let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    expectRequest(context)
    if !head.isKeepAlive {
      let channel = context.channel
      done.whenComplete { _ in channel.close(promise: nil) }
    }
  }
}
