import NIOCore
import NIOPosix

/// Not the loop of the tests that move megabytes.
let dnsLoop: any EventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()

/// A name server with a handful of records, on a UDP port of its own.
final class NameServer: @unchecked Sendable {
  enum Answer {
    /// Type and RDATA of each record.
    case records([(type: UInt16, data: [UInt8])])
    case alias(String)
    case noSuchName
    case failure
    case silence
  }

  private let channel: any Channel
  let port: Int

  /// - Parameter zone: by name in lower case; a name that is not there does not exist.
  static func start(_ zone: [String: Answer]) async throws -> NameServer {
    let zone = NIOLoopBoundBox.makeBoxSendingValue(zone, eventLoop: dnsLoop)
    let channel = try await DatagramBootstrap(group: dnsLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Responder(zone: zone.value))
        }
      }
      .bind(to: SocketAddress(ipAddress: "127.0.0.1", port: 0)).get()
    return NameServer(channel)
  }

  private init(_ channel: any Channel) {
    self.channel = channel
    port = channel.localAddress?.port ?? 0
  }

  func stop() async throws { try await channel.close() }

  static func a(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> (type: UInt16, data: [UInt8]) { (1, [a, b, c, d]) }

  static func aaaa(_ last: UInt8) -> (type: UInt16, data: [UInt8]) {
    (28, [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [last])
  }

  static func srv(_ priority: UInt8, _ weight: UInt8, _ port: UInt16, _ target: String) -> (type: UInt16, data: [UInt8])
  {
    (33, [0, priority, 0, weight, UInt8(port >> 8), UInt8(port & 255)] + wire(target))
  }

  static func wire(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  private final class Responder: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    let zone: [String: Answer]

    init(zone: [String: Answer]) { self.zone = zone }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let envelope = unwrapInboundIn(data)
      guard let reply = answer(Array(envelope.data.readableBytesView)) else { return }
      let packet = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: reply))
      context.writeAndFlush(wrapOutboundOut(packet), promise: nil)
    }

    private func answer(_ query: [UInt8]) -> [UInt8]? {
      var index = 12
      var labels: [String] = []
      while query[index] != 0 {
        let length = Int(query[index])
        labels.append(String(decoding: query[(index + 1)...(index + length)], as: UTF8.self))
        index += length + 1
      }
      let type = UInt16(query[index + 1]) << 8 | UInt16(query[index + 2])
      let question = query[12..<(index + 5)]
      var records: [(name: [UInt8], type: UInt16, data: [UInt8])] = []
      var code: UInt8 = 0
      var name = labels.joined(separator: ".").lowercased()
      var seen = 0
      resolving: while seen < 8 {
        seen += 1
        switch zone[name] ?? .noSuchName {
        case .silence: return nil
        case .failure: code = 2
        case .noSuchName: code = 3
        case .alias(let target):
          records.append((NameServer.wire(name), 5, NameServer.wire(target)))
          name = target
          continue resolving
        case .records(let all):
          for record in all where record.type == type {
            records.append((NameServer.wire(name), record.type, record.data))
          }
        }
        break
      }
      // QR, RD, RA; one question; answers.
      var reply = Array(query[0..<2]) + [0x81, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + question
      for record in records {
        reply += record.name + [0, UInt8(record.type), 0, 1, 0, 0, 0, 60, 0, UInt8(record.data.count)] + record.data
      }
      return reply
    }
  }
}
