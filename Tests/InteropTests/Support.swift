import Foundation
import Lab
import Testing

/// Interop tests take turns: each has real servers running, and the machine may have two cores.
@Suite(.serialized) struct InteropTests {}

/// Runs `body` in a workspace of its own.
func withWorkspace(_ body: (Workspace) async throws -> Void) async throws {
  let workspace = try Workspace()
  do {
    try await body(workspace)
    await workspace.close()
  } catch {
    await workspace.close()
    throw error
  }
}

/// Runs `body` on a stage. What it throws comes with the ends of all logs.
func withStage(
  _ plan: Stage.Plan = Stage.Plan(), partner: Stage.Partner = .prosody, _ body: (Stage) async throws -> Void
) async throws {
  try await withWorkspace { workspace in
    let stage = try await Stage(plan, partner: partner, in: workspace)
    do {
      try await body(stage)
    } catch {
      throw LabError("\(error)", log: stage.logs())
    }
    #expect(stage.gateway.process.isRunning, "drawbridge ended: \(stage.gateway.log.tail(5))")
  }
}

/// Both say a line to the other and it arrives, with its true sender.
func converse(_ juliet: XMPPUser, _ romeo: SIPUser, _ mark: String = "") async throws {
  juliet.say("from XMPP \(mark)", to: "romeo@corp.test")
  #expect(try await romeo.hear(body: "from XMPP \(mark)").from == "sip:juliet@partner.test")
  let reply = try await romeo.say("from SIP \(mark)", to: "sip:juliet@partner.test")
  #expect(reply.status == 200)
  let heard = try await juliet.hear(body: "from SIP \(mark)")
  #expect(XMPPUser.bare(heard.node["from"]) == "romeo@corp.test")
}
