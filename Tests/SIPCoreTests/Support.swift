import SIPCore

/// `text` with CRLF line ends.
func wire(_ text: String) -> [UInt8] {
  Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
}

func events(of bytes: [UInt8], limits: SIPLimits = .init()) -> [StreamFramer.Event] {
  var framer = StreamFramer(limits: limits)
  framer.append(bytes)
  var events: [StreamFramer.Event] = []
  while let event = framer.next() { events.append(event) }
  return events
}

func request(_ text: String) -> SIPRequest {
  for event in events(of: wire(text)) {
    if case .message(.request(let request)) = event { return request }
  }
  return SIPRequest(.other("UNPARSED"), uriText: "")
}

func response(_ text: String) -> SIPResponse {
  for event in events(of: wire(text)) {
    if case .message(.response(let response)) = event { return response }
  }
  return SIPResponse(699, reason: "unparsed")
}

/// An event in one line, to compare streams cut in different ways.
func summary(_ event: StreamFramer.Event) -> String {
  switch event {
  case .message(.request(let request)):
    "\(request.method) \(request.uriText) \(request.headers.count) \(request.body.count)"
  case .message(.response(let response)): "\(response.status) \(response.reason) \(response.body.count)"
  case .malformed(let request, let defect): "malformed \(request.method) \(defect.status) \(defect.text)"
  case .dropped(let defect): "dropped \(defect.text)"
  case .ping: "ping"
  case .broken(let request, let defect): "broken \(request?.method.name ?? "-") \(defect.status) \(defect.text)"
  }
}

let plainMessage = """
  MESSAGE sip:bob@corp.test SIP/2.0
  Via: SIP/2.0/TLS gw.corp.test:5061;branch=z9hG4bK776asdhds
  Max-Forwards: 70
  From: <sip:alice@partner.test>;tag=49583
  To: <sip:bob@corp.test>
  Call-ID: asd88asd77a@1.2.3.4
  CSeq: 1 MESSAGE
  Content-Type: text/plain;charset=UTF-8
  Content-Length: 18

  Watson, come here.
  """
