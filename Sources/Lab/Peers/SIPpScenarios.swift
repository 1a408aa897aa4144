import Foundation

/// Conversations in the dialect of Skype for Business: INVITE with `m=message … sip null`, MESSAGE inside the dialog,
/// typing as INFO, BYE. SIPp follows its text to the letter, so two of them together need `types` and `hangsUp` on one
/// side only; a gateway is met with both.
package enum SIPpScenario {
  /// Takes a session, reads `expects` in it, types, writes `says`, and hangs up.
  package static func callee(
    expects: String, says: String, types: Bool = true, hangsUp: Bool = true
  ) -> String {
    scenario(
      "callee",
      """
      <recv request="INVITE" rrs="true">
        <action>
          <ereg regexp=".*" search_in="hdr" header="From:" assign_to="remote"/>
          <ereg regexp=".*" search_in="hdr" header="To:" assign_to="local"/>
          <ereg regexp="m=message [0-9]+ sip" search_in="body" check_it="true" assign_to="media"/>
        </action>
      </recv>
      <Reference variables="media"/>
      \(answer("180 Ringing", tagged: true, more: "Record-Route: [last_Record-Route:]"))
      \(answer("200 OK", tagged: true, more: callee200, body: sdp("sip:[service]@corp.test")))
      <recv request="ACK"/>
      \(expect(expects))
      \(answer("200 OK"))
      \(types ? calleeRequest("INFO", number: 1, type: "application/xml", body: typing) + okay : "")
      \(calleeRequest("MESSAGE", number: 2, type: "text/plain; charset=UTF-8", body: says))
      <recv response="200"/>
      \(hangsUp ? calleeRequest("BYE", number: 3) + okay : awaitBye)
      """)
  }

  /// Opens a session from `from` to `to` with a copy of its first text in `ms-text-format`, says all of `says`, reads
  /// `expects`, and hangs up. A gateway must deliver the first text once.
  package static func caller(
    from: String, to: String, says: [String], expects: String, types: Bool = true, hangsUp: Bool = true
  ) -> String {
    let copy = Data((says.first ?? "").utf8).base64EncodedString()
    let toast = "ms-text-format: text/plain; charset=UTF-8;ms-body=\(copy)"
    var number = 1
    var steps = """
      \(callerRequest("INVITE", number: 1, from: from, to: to, uri: to, toTag: false, more: """
        Supported: ms-sender
        Ms-Conversation-ID: \(UUID().uuidString)
        \(toast)
        Contact: <\(from);transport=tcp>
        """.replacing("<\(from)", with: "<\(contact(from))"), type: "application/sdp", body: sdp("null")))
      <recv response="100" optional="true"/>
      <recv response="180" optional="true"/>
      <recv response="183" optional="true"/>
      <recv response="200" rrs="true">
        <action>
          <ereg regexp="m=message [0-9]+ sip" search_in="body" check_it="true" assign_to="media"/>
        </action>
      </recv>
      <Reference variables="media"/>
      \(callerRequest("ACK", number: 1, from: from, to: to))

      """
    for (index, text) in says.enumerated() {
      number += 1
      steps += callerRequest(
        "MESSAGE", number: number, from: from, to: to,
        type: "text/plain; charset=UTF-8;msgr=WAAtAE0ATQBTAC0ASQBNAC0ARgBvAHIAbQBhAHQAOgAgAEYATgA9AE0AUwAlADIAMAAKAA",
        body: text)
      steps += okay
      if types && index == 0 {
        number += 1
        steps += callerRequest("INFO", number: number, from: from, to: to, type: "application/xml", body: typing)
        steps += okay
      }
    }
    steps += """
      \(expect(expects))
      \(answer("200 OK"))
      \(hangsUp ? callerRequest("BYE", number: number + 1, from: from, to: to) + okay : awaitBye)
      """
    return scenario("caller", steps)
  }

  private static let okay = "<recv response=\"200\"/>\n"
  private static var awaitBye: String { "<recv request=\"BYE\"/>\n" + answer("200 OK") }
  private static let typing =
    #"<?xml version="1.0"?><KeyboardActivity><status status="type" /></KeyboardActivity>"#

  private static let callee200 = """
    Record-Route: [last_Record-Route:]
    Supported: ms-sender
    Contact: <sip:[service]@[local_ip]:[local_port];transport=tcp>
    Content-Type: application/sdp
    """

  private static func sdp(_ peer: String) -> String {
    """
    v=0
    o=- 0 0 IN IP4 [local_ip]
    s=session
    c=IN IP4 [local_ip]
    t=0 0
    m=message 5060 sip \(peer)
    a=accept-types:text/plain text/html image/gif multipart/alternative application/im-iscomposing+xml
    """
  }

  private static func contact(_ address: String) -> String {
    let user = address.dropFirst("sip:".count).split(separator: "@").first ?? ""
    return "sip:\(user)@[local_ip]:[local_port]"
  }

  private static func scenario(_ name: String, _ steps: String) -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"\(name)\">\n\(steps)\n</scenario>\n"
  }

  private static func expect(_ text: String) -> String {
    // POSIX extended expressions know no quoting but this one.
    let pattern = text.map { "\\^$.|?*+()[]{}".contains($0) ? "\\\($0)" : String($0) }.joined()
    let name = "text\(abs(text.hashValue))"
    return """
      <recv request="MESSAGE">
        <action><ereg regexp="\(XMLNode.escape(pattern))" search_in="body" check_it="true" assign_to="\(name)"/></action>
      </recv>
      <Reference variables="\(name)"/>
      """
  }

  private static func answer(_ status: String, tagged: Bool = false, more: String = "", body: String = "") -> String {
    let optional = more.replacing("Record-Route: [last_Record-Route:]", with: "[last_Record-Route:]")
    return send(
      """
      SIP/2.0 \(status)
      [last_Via:]
      [last_From:]
      [last_To:]\(tagged ? ";tag=callee[call_number]" : "")
      [last_Call-ID:]
      [last_CSeq:]
      \(optional)
      """, body: body)
  }

  private static func calleeRequest(
    _ method: String, number: Int, type: String? = nil, body: String = ""
  ) -> String {
    send(
      """
      \(method) [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      Max-Forwards: 70
      From:[$local];tag=callee[call_number]
      To:[$remote]
      [last_Call-ID:]
      CSeq: \(number) \(method)
      \(type.map { "Content-Type: \($0)" } ?? "")
      """, body: body)
  }

  private static func callerRequest(
    _ method: String, number: Int, from: String, to: String, uri: String = "[next_url]", toTag: Bool = true,
    more: String = "", type: String? = nil, body: String = ""
  ) -> String {
    send(
      """
      \(method) \(uri) SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];alias
      \(toTag ? "[routes]" : "")
      Max-Forwards: 70
      From: <\(from)>;tag=caller[call_number];epid=0a1b2c3d4e
      To: <\(to)>\(toTag ? "[peer_tag_param]" : "")
      Call-ID: [call_id]
      CSeq: \(number) \(method)
      \(more)
      \(type.map { "Content-Type: \($0)" } ?? "")
      """, body: body)
  }

  /// Lines that came out empty are left away: a blank line would end the header.
  private static func send(_ head: String, body: String) -> String {
    let lines = head.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    let text = (lines + ["Content-Length: [len]", "", body]).joined(separator: "\n")
    // What stands before the end of CDATA is sent: without a body the blank line, else the body's last character.
    return "<send><![CDATA[\n\(text)\(body.isEmpty ? "\n" : "")]]></send>\n"
  }
}
