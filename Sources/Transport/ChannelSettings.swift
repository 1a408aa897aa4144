import Glibc
import NIOCore

/// What every TCP socket of ours is set to.
enum ChannelSettings {
  typealias Option = (ChannelOptions.Types.SocketOption, SocketOptionValue)

  /// A peer that sends much gets larger reads, an idle one costs little.
  static func setReadSize(_ bytes: Int, of channel: any Channel) throws {
    let allocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: min(2048, bytes), maximum: bytes)
    try channel.syncOptions?.setOption(.recvAllocator, value: allocator)
  }

  static func apply(to channel: any Channel, _ limits: ConnectionLimits) throws {
    guard let options = channel.syncOptions else { return }
    // Writes are coalesced here; Nagle's algorithm would only add its delay.
    try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
    let timeout = limits.silentPeerTimeout.nanoseconds / 1_000_000
    if timeout > 0 { try options.setOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: Int(timeout)) }
    // The peer's FIN is an event of its own: what we still have to say goes out behind it.
    try options.setOption(.allowRemoteHalfClosure, value: true)
    try setReadSize(limits.readBytes, of: channel)
    try options.setOption(
      .writeBufferWaterMark,
      value: .init(low: min(limits.lowWaterMark, limits.highWaterMark), high: limits.highWaterMark))
  }
}
