import Foundation
import Lab

/// Lines that go to and fro, each shown with its time and how long it was under way: from the write on the sender's
/// socket to the last byte on the addressee's, through both servers and the gateway.
struct Conversation {
  let juliet: XMPPUser
  let romeo: SIPUser
  let stage: Stage

  private enum Speaker { case juliet, romeo }

  private let lines: [(Speaker, String)] = [
    (.juliet, "O Romeo, Romeo, wherefore art thou Romeo?"),
    (.romeo, "Shall I hear more, or shall I speak at this?"),
    (.juliet, "What's in a name? That which we call a rose"),
    (.juliet, "by any other word would smell as sweet 🌹"),
    (.romeo, "I take thee at thy word & <love> thee: \"henceforth\" I never will be 'Romeo'"),
    (.juliet, "Мой ухо – שלום – مرحبا – 你好"),
    (.romeo, "With love's light wings did I o'erperch these walls 🧱🕊️"),
    (.juliet, "Good night, good night! Parting is such sweet sorrow"),
    (.romeo, "Sleep dwell upon thine eyes, peace in thy breast!"),
  ]

  func play() async throws {
    var times: [Double] = []
    for (speaker, text) in lines {
      do {
        times.append(try await cross(speaker, text))
      } catch let error as LabError {
        throw LabError("\(times.count) of \(lines.count) lines crossed; then: \(error)", log: stage.logs())
      }
    }
    times.sort()
    let summary = String(format: "median %.1f ms, slowest %.1f ms", times[times.count / 2], times[times.count - 1])
    say("\nEvery line crossed (\(times.count) of \(lines.count)): \(summary)")
  }

  private func cross(_ speaker: Speaker, _ text: String) async throws -> Double {
    let sent = ContinuousClock.now
    let arrived: ContinuousClock.Instant
    switch speaker {
    case .juliet:
      juliet.say(text, to: "romeo@\(Stage.domain)")
      arrived = try await romeo.hear(body: text).at
      show("juliet@partner.test → romeo@corp.test", text, arrived - sent)
    case .romeo:
      async let reply = romeo.say(text, to: "sip:juliet@\(Stage.partnerDomain)")
      arrived = try await juliet.hear(body: text).at
      let status = try await reply.status
      guard status == 200 || status == 202 else { throw LabError("romeo's line was answered with \(status)") }
      show("romeo@corp.test → juliet@partner.test", text, arrived - sent)
    }
    return (arrived - sent).milliseconds
  }

  private func show(_ way: String, _ text: String, _ time: Duration) {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "HH:mm:ss.SSS"
    say("  \(format.string(from: Date()))  \(way)  \(String(format: "%7.1f ms", time.milliseconds))  \(text)")
  }
}
