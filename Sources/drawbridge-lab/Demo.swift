import Foundation
import Lab

/// Sets the stage, plays the conversation, and stays open if asked to.
struct Demo {
  let staysOpen: Bool
  private let start = ContinuousClock.now

  init(staysOpen: Bool) {
    self.staysOpen = staysOpen
  }

  func run() async throws {
    say("Drawbridge between an XMPP partner (partner.test) and a SIP platform (corp.test), on 127.0.0.1 only\n")
    let workspace = try Workspace()
    do {
      try await play(in: workspace)
      await workspace.close()
    } catch {
      await workspace.close()
      throw error
    }
  }

  private func play(in workspace: Workspace) async throws {
    var plan = Stage.Plan()
    plan.users = ["juliet@partner.test": "juliet", "nurse@partner.test": "nurse"]
    let start = start
    plan.announce = { Self.step($0, since: start) }
    let stage = try await Stage(plan, in: workspace)
    Self.step("juliet@partner.test logs in at Prosody, romeo@corp.test registers at Kamailio", since: start)
    let juliet = try await stage.xmppUser("juliet")
    let romeo = try await stage.sipUser("romeo")
    say("")
    try await Conversation(juliet: juliet, romeo: romeo, stage: stage).play()
    guard staysOpen else { return }
    say(try Invitation(stage: stage).text)
    try await stayOpen(stage, juliet, romeo)
  }

  private static func step(_ what: String, since start: ContinuousClock.Instant) {
    let seconds = (ContinuousClock.now - start).milliseconds / 1000
    say("\(String(format: "%6.1f s", seconds))  \(what)")
  }

  /// Juliet and Romeo answer whoever writes to them, until somebody ends it all.
  private func stayOpen(_ stage: Stage, _ juliet: XMPPUser, _ romeo: SIPUser) async throws {
    let processes = [stage.gateway.process, stage.kamailio.process] + (stage.prosody.map { [$0.process] } ?? [])
    while true {
      if let ended = processes.first(where: { !$0.isRunning }) {
        throw LabError("\(ended.name) has ended with status \(ended.exitCode ?? -1)", log: ended.log.tail(15))
      }
      if let heard = try await romeo.requests.first(
        within: .milliseconds(200), where: { $0.message.method == "MESSAGE" ? $0 : nil })
      {
        say("romeo@corp.test hears from \(heard.from): \(heard.text)")
        _ = try? await romeo.say("You said: \(heard.text)", to: heard.from)
      }
      let words = try await juliet.stanzas.first(within: .milliseconds(200)) { heard -> (String, String)? in
        guard heard.node["type"] != "error", let body = heard.node.child("body"), let from = heard.node["from"] else {
          return nil
        }
        return (from, body.text)
      }
      if let (from, text) = words {
        say("juliet@partner.test hears from \(from): \(text)")
        juliet.say("You said: \(text)", to: from)
      }
    }
  }
}
