import BrokerCore
import SIPCore

// Requests of ours.
extension Engine {
  /// Sends a request in a transaction of its own.
  /// - Returns: the transaction's number.
  @discardableResult
  mutating func send(
    _ request: SIPRequest, on flow: FlowID, purpose: Client.Purpose, branch: String? = nil
  ) -> UInt64 {
    let branch = branch ?? Via.magicCookie + tokens.next()
    var request = request
    request.headers.prepend(.via, via(branch))
    return start(request, branch: branch, on: flow, purpose: purpose)
  }

  private mutating func start(
    _ request: SIPRequest, branch: String, on flow: FlowID, purpose: Client.Purpose
  ) -> UInt64 {
    lastClient += 1
    let number = lastClient
    let key = ClientTransactionKey(branch: branch, method: request.method)
    let machine = ClientTransaction(request)
    let timer = start(.client(number, machine.firstTimer), after: configuration.times.transaction.timeout)
    // The same branch again: the earlier attempt's answer, if it still comes, is the answer to this one.
    if let earlier = clientKeys[key] { forget(earlier) }
    clients[number] = Client(
      machine: machine, purpose: purpose, flow: flow, key: key, method: request.method, started: now,
      invite: request.method == .invite ? request : nil, timer: timer)
    clientKeys[key] = number
    flows[flow]?.requests += 1
    act(.write(flow, request.bytes))
    return number
  }

  /// An ACK has no transaction (RFC 3261 §13.2.2.4) …
  mutating func sendAcknowledgement(_ ack: SIPRequest, on flow: FlowID) {
    var ack = ack
    ack.headers.prepend(.via, via(Via.magicCookie + tokens.next()))
    act(.write(flow, ack.bytes))
  }

  /// … and a CANCEL has the branch of its INVITE.
  mutating func cancel(_ number: UInt64) {
    guard let client = clients[number], client.machine.canBeCancelled, let invite = client.invite else { return }
    let cancel = invite.cancellation()
    guard let branch = (try? cancel.essentials())?.via.branch else { return }
    _ = start(cancel, branch: branch, on: client.flow, purpose: .courtesy)
    if let actions = clients[number]?.machine.cancelled() { run(actions, of: number) }
  }

  private func via(_ branch: String) -> String {
    // RFC 5923: with TLS both ends are known, so that the peer may send its requests back on this connection.
    switch configuration.transport {
    case .tls: "SIP/2.0/TLS \(sentBy);branch=\(branch);alias"
    case .tcp: "SIP/2.0/TCP \(sentBy);branch=\(branch)"
    }
  }

  // MARK: Responses

  mutating func receive(_ response: SIPResponse, on flow: FlowID) {
    let essentials: Essentials
    do throws(SIPDefect) {
      essentials = try response.essentials()
    } catch {
      return countMalformed(error, on: flow)
    }
    flows[flow]?.malformed = 0
    if link.flow == flow { linkAnswered() }
    // RFC 3261 §18.1.2: one that is not ours, or that nobody waits for any longer.
    guard essentials.via.sentBy == sentBy, let key = ClientTransactionKey(essentials), let number = clientKeys[key]
    else { return }
    guard let actions = clients[number]?.machine.received(response) else { return }
    run(actions, of: number)
  }

  mutating func clientTimerFired(_ number: UInt64, _ timer: TransactionTimer) {
    guard let actions = clients[number]?.machine.fired(timer) else { return }
    clients[number]?.timer = nil
    run(actions, of: number)
  }

  private mutating func run(_ actions: [ClientTransaction.Action], of number: UInt64) {
    for action in actions {
      guard let client = clients[number] else { return }
      switch action {
      case .start(let timer):
        let id = start(.client(number, timer), after: configuration.times.transaction.timeout)
        clients[number]?.timer = id
      case .stop:
        timers.stop(client.timer)
        clients[number]?.timer = nil
      case .acknowledge(let ack): act(.write(client.flow, ack.bytes))
      case .deliver(let response):
        if !response.isProvisional { concluded(client, status: response.status) }
        deliver(response, to: client)
      case .timedOut:
        concluded(client, status: 0)
        deliver(nil, to: client)
      case .terminated: forget(number)
      }
    }
  }

  private mutating func concluded(_ client: Client, status: Int) {
    if case .probe = client.purpose { return }
    observe(
      .concluded(
        .outbound, method: client.method.name, status: status, milliseconds: now - client.started))
  }

  /// - Parameter response: nil: none came in time.
  private mutating func deliver(_ response: SIPResponse?, to client: Client) {
    switch client.purpose {
    case .page(let entry): messageConcluded(entry, response, session: nil)
    case .inSession(let entry, let serial): messageConcluded(entry, response, session: serial)
    case .invite(let pair, let serial): inviteConcluded(client, pair, serial, response)
    case .typing(let pair, let serial): typingConcluded(pair, serial, response)
    // A probe's silence is noticed by the connection's own check.
    case .probe, .courtesy: break
    }
  }

  private mutating func forget(_ number: UInt64) {
    guard let client = clients.removeValue(forKey: number) else { return }
    timers.stop(client.timer)
    if clientKeys[client.key] == number { clientKeys[client.key] = nil }
    flows[client.flow]?.requests -= 1
  }

  /// The connection that these requests went out on is gone, and with it their answers.
  mutating func abandonClients(on flow: FlowID) {
    for (number, client) in clients where client.flow == flow {
      forget(number)
      switch client.purpose {
      case .page(let entry), .inSession(let entry, _): queue.again(entry)
      case .invite(let pair, let serial):
        guard sessions[pair]?.serial == serial, case .inviting = sessions[pair]?.state else { break }
        endSession(pair, sayBye: false)
      case .typing(let pair, let serial):
        if sessions[pair]?.serial == serial { sessions[pair]?.isTyping = false }
      case .probe, .courtesy: break
      }
    }
  }
}
