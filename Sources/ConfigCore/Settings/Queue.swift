/// `[queue]`: limits of the delivery queue.
package struct QueueSettings: Settings {
  package var timeToLive = Duration.seconds(3600)
  package var answerDelay = Duration.seconds(2)
  package var retryMinimum = Duration.seconds(1)
  package var retryMaximum = Duration.seconds(60)
  package var messagesPerDestination = 10_000
  package var bytesPerDestination = 32 << 20
  package var messagesTotal = 100_000
  package var bytesTotal = 256 << 20

  package init() {}

  static let options: [Option<QueueSettings>] = [
    Option(
      "time-to-live", \.timeToLive, .duration(.seconds(10)...(.seconds(30 * 86400))), effect: .live,
      "How long a message waits for its delivery; then its sender is told that it failed."),
    Option(
      "answer-delay", \.answerDelay, .duration(.zero...(.seconds(30))), effect: .live,
      "How long a SIP request waits for the outcome before it is answered \"202 Accepted\". Below the 32 s of Timer F "
        + "(RFC 3261 §17.1.2.2)."),
    Option(
      "retry-minimum", \.retryMinimum, .duration(.milliseconds(100)...(.seconds(3600))), effect: .live,
      "The first pause before a destination that failed is tried again; it doubles each time."),
    Option(
      "retry-maximum", \.retryMaximum, .duration(.seconds(1)...(.seconds(86400))), effect: .live,
      "The longest such pause."),
    Option(
      "messages-per-destination", \.messagesPerDestination, .integer(1...10_000_000), effect: .live,
      "Messages that may wait for one domain. More are refused, so that their senders know."),
    Option(
      "bytes-per-destination", \.bytesPerDestination, .size(64 << 10...1 << 40), effect: .live,
      "The same in bytes."),
    Option(
      "messages-total", \.messagesTotal, .integer(1...10_000_000), effect: .live, "Messages that may wait in all."),
    Option("bytes-total", \.bytesTotal, .size(64 << 10...1 << 40), effect: .live, "The same in bytes."),
  ]
}

/// `[store]`: the durable side of the queue.
package struct StoreSettings: Settings {
  package var path = "/var/lib/drawbridge"
  package var maximumSize = 1 << 30

  package init() {}

  static let options: [Option<StoreSettings>] = [
    Option(
      "path", \.path, .directory, "The directory of the store. It is created; the directory above it must exist."),
    Option(
      "maximum-size", \.maximumSize, .size(1 << 20...1 << 42),
      "What the store may occupy on the disk: twice queue.bytes-total at least."),
  ]
}
