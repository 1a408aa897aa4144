import BrokerCore
import Logging
import SIPCore

// Requests of the platform: transactions and the responses that every kind of request may get.
extension Engine {
  /// What we understand, for Allow.
  static let allow = "INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, OPTIONS"

  mutating func receive(_ request: SIPRequest, on flow: FlowID) {
    let essentials: Essentials
    do throws(SIPDefect) {
      essentials = try request.essentials()
    } catch {
      reject(request, error, on: flow)
      return countMalformed(error, on: flow)
    }
    switch request.method {
    case .ack: return acknowledged(request, essentials)
    // Microsoft's NOTIFY that wants no answer. We subscribe to nothing.
    case .benotify: return
    case .cancel: return cancelled(request, essentials, on: flow)
    default: break
    }

    flows[flow]?.malformed = 0
    let key = ServerTransactionKey(essentials, method: request.method)
    if let server = servers[key] {
      // The answer goes where the peer listens now: its earlier connection may be gone.
      servers[key]?.flow = flow
      return run(server.machine.receivedRepetition(), of: key, on: flow)
    }
    guard servers.count < configuration.limits.serverTransactions else {
      var response = request.response(500, reason: "Overloaded", toTag: responseTag)
      response.headers.append(.retryAfter, "5")
      observe(.concluded(.inbound, method: request.method.name, status: 500, milliseconds: 0))
      return act(.write(flow, response.bytes))
    }
    servers[key] = Server(
      machine: ServerTransaction(invite: request.method == .invite), flow: flow, method: request.method,
      started: now)
    serve(request, essentials, key)
  }

  // MARK: Answers

  mutating func answer(_ key: ServerTransactionKey, _ response: SIPResponse) {
    guard let server = servers[key], let actions = servers[key]?.machine.answered(response) else { return }
    if !response.isProvisional {
      observe(
        .concluded(
          .inbound, method: server.method.name, status: response.status, milliseconds: now - server.started))
    }
    run(actions, of: key, on: server.flow)
  }

  mutating func answer(_ key: ServerTransactionKey, _ request: SIPRequest, _ defect: SIPDefect) {
    answer(key, response(request, defect))
  }

  /// A refusal with what the standard wants beside it.
  func response(_ request: SIPRequest, _ defect: SIPDefect) -> SIPResponse {
    var response = request.response(defect.status, reason: defect.text, toTag: responseTag)
    switch defect.status {
    case 405, 501: response.headers.append(.allow, Self.allow)
    case 415:
      response.headers.append(
        .accept, request.method == .invite ? MediaType.sdp.description : IncomingBody.accepted)
      response.headers.append(.acceptEncoding, "identity")
    case 420: response.headers.append(.unsupported, request.headers.strings(.require).joined(separator: ", "))
    default: break
    }
    return response
  }

  /// Answers without a transaction: the request cannot take part in one.
  mutating func respond(_ request: SIPRequest, _ defect: SIPDefect, on flow: FlowID) {
    guard request.method != .ack, request.method != .benotify else { return }
    act(.write(flow, response(request, defect).bytes))
  }

  /// As far as the request lets us: without Via there is nowhere to send it to.
  mutating func reject(_ request: SIPRequest, _ defect: SIPDefect, on flow: FlowID) {
    guard request.headers.contains(.via), request.headers.contains(.cSeq) else { return }
    respond(request, defect, on: flow)
  }

  private mutating func run(_ actions: [ServerTransaction.Action], of key: ServerTransactionKey, on flow: FlowID) {
    for action in actions {
      switch action {
      // RFC 3261 §18.2.2 would open a connection to where the request came from; the one to the next hop leads there.
      case .send(let response):
        if let way = flows[flow] != nil ? flow : link.flow { act(.write(way, response.bytes)) }
      case .start(let timer):
        let id = start(.server(key, timer), after: configuration.times.transaction.timeout)
        servers[key]?.timer = id
      case .stop:
        timers.stop(servers[key]?.timer)
        servers[key]?.timer = nil
      case .timedOut: log(.debug, "no ACK for a refused INVITE")
      case .terminated:
        timers.stop(servers[key]?.timer)
        servers[key] = nil
      }
    }
  }

  mutating func serverTimerFired(_ key: ServerTransactionKey, _ timer: TransactionTimer) {
    guard let server = servers[key], let actions = servers[key]?.machine.fired(timer) else { return }
    servers[key]?.timer = nil
    run(actions, of: key, on: server.flow)
  }

  // MARK: ACK and CANCEL

  private mutating func acknowledged(_ request: SIPRequest, _ essentials: Essentials) {
    let key = ServerTransactionKey(essentials, method: .ack)
    if let server = servers[key], let actions = servers[key]?.machine.acknowledged(), !actions.isEmpty {
      return run(actions, of: key, on: server.flow)
    }
    // For a 2xx it is a request of the dialog.
    if let id = Dialog.ID(request: essentials), let pair = dialogs[id] { sessionAcknowledged(pair) }
  }

  /// RFC 3261 §9.2. We answer an INVITE at once, so a CANCEL always comes too late to change anything.
  private mutating func cancelled(_ request: SIPRequest, _ essentials: Essentials, on flow: FlowID) {
    let isKnown = servers[.cancelled(by: essentials)] != nil
    act(.write(flow, request.response(isKnown ? 200 : 481, toTag: responseTag).bytes))
  }
}
