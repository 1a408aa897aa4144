import NIOCore

/// The only handler in a connection's pipeline: hands the channel's events to the connection.
final class ChannelBridge: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: Connection
  /// Called once the channel is connected, with its addresses known.
  private var onActive: ((Connection) -> Void)?

  init(connection: Connection, onActive: ((Connection) -> Void)? = nil) {
    self.connection = connection
    self.onActive = onActive
  }

  func channelActive(context: ChannelHandlerContext) {
    connection.channelActive()
    onActive?(connection)
    onActive = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.channelRead(unwrapInboundIn(data))
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    connection.channelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { connection.channelInputClosed() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.channelFailed(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    onActive = nil
    connection.channelInactive()
  }
}
