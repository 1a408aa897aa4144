/// Every metric of the gateway: the one place where they are named. Durations in seconds, sizes in bytes, labels bounded:
/// `peer` and `destination` hold configured names only, everything else is `other`.
package struct Catalogue: Sendable {
  package let buildInfo = gauge("drawbridge_build_info", "1, with the version as a label.", ["version"])
  package let startTime = gauge(
    "process_start_time_seconds", "When the process started, in seconds since 1970-01-01T00:00:00Z.")
  package let cpu = gauge("process_cpu_seconds_total", "CPU time used by the process.")
  package let resident = gauge("process_resident_memory_bytes", "Resident memory of the process.")
  package let descriptors = gauge("process_open_fds", "Open file descriptors.")
  package let ready = gauge("drawbridge_ready", "Whether a component is ready to serve (1) or not (0).", ["component"])

  package let messages = counter(
    "drawbridge_messages_total",
    "Messages by direction (to_partner, to_platform) and result: accepted, delivered, bounced, expired, refused, duplicate.",
    ["direction", "result"])
  package let deliverySeconds = histogram(
    "drawbridge_delivery_seconds", "From accepting a message to its confirmed delivery.", ["direction"])
  package let reports = counter(
    "drawbridge_failure_reports_dropped_total", "Failure reports that could not be delivered either.", [])

  package let queueMessages = gauge(
    "drawbridge_queue_messages", "Messages accepted and not yet confirmed by the destination.", ["destination"])
  package let queueBytes = gauge("drawbridge_queue_bytes", "Their size in memory.", ["destination"])
  package let queueOldest = gauge(
    "drawbridge_queue_oldest_seconds", "Age of the oldest of them, 0 if there is none.", ["destination"])
  package let destinationUp = gauge(
    "drawbridge_destination_up", "Whether the destination answered last time (1) or not (0).", ["destination"])

  package let stanzas = counter(
    "drawbridge_stanzas_total", "XMPP stanzas by kind (message, presence, iq), direction (in, out) and result.",
    ["kind", "direction", "result"])
  package let streams = gauge(
    "drawbridge_streams", "Established XMPP streams by partner and direction.", ["peer", "direction"])
  package let streamFailures = counter(
    "drawbridge_stream_failures_total",
    "XMPP streams that could not be established or broke: out by the stage reached, in by the stream error.",
    ["peer", "direction", "stage"])
  package let connectionsRefused = counter(
    "drawbridge_connections_refused_total", "Connections refused by a limit.", ["listener", "limit"])

  package let sipRequests = counter(
    "drawbridge_sip_requests_total", "SIP requests by platform, method, direction and class of the final response.",
    ["platform", "method", "direction", "class"])
  package let sipConnections = gauge("drawbridge_sip_connections", "Open connections to a platform.", ["platform"])

  package let sipSessions = gauge(
    "drawbridge_sip_sessions", "Instant message sessions with a platform's users.", ["platform"])

  package let storeCommits = counter("drawbridge_store_commits_total", "Synchronous commits of the store.", [])
  package let storeCommitSeconds = histogram(
    "drawbridge_store_commit_seconds", "Duration of a commit, the disk's part included.", [])
  package let storeFailures = counter(
    "drawbridge_store_failures_total", "Messages that the store could not write.", [])
  package let certificateEnd = gauge(
    "drawbridge_certificate_not_after_timestamp_seconds", "When a certificate of ours ends.", ["name"])

  package init() {}

  private static func counter(_ name: String, _ help: String, _ labels: [String]) -> Family<Counter> {
    Family(name, help: help, labels: labels) { Counter() }
  }

  private static func gauge(_ name: String, _ help: String, _ labels: [String] = []) -> Family<Gauge> {
    Family(name, help: help, labels: labels) { Gauge() }
  }

  private static func histogram(_ name: String, _ help: String, _ labels: [String]) -> Family<Histogram> {
    Family(name, help: help, labels: labels) { Histogram(bounds: Histogram.latency) }
  }

  /// All families in the order in which they are shown.
  package func exposition() -> [UInt8] {
    var text = Exposition()
    for family in [
      buildInfo, startTime, resident, descriptors, ready, queueMessages, queueBytes, queueOldest, destinationUp,
      streams, sipConnections, sipSessions, certificateEnd,
    ] { text.add(family) }
    for family in [
      messages, reports, stanzas, streamFailures, connectionsRefused, sipRequests, storeCommits, storeFailures,
    ] { text.add(family) }
    for family in [deliverySeconds, storeCommitSeconds] { text.add(family) }
    text.add(cpu, type: "counter")
    return text.bytes
  }
}
