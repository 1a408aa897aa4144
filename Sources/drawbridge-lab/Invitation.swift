import Lab

/// What the person at the terminal may try while everything runs.
struct Invitation {
  let stage: Stage
  private let linphone: String

  init(stage: Stage) throws {
    self.stage = stage
    linphone = try Linphone.prepare(
      "mercutio", domain: Stage.domain, port: stage.kamailio.port, in: stage.workspace)
  }

  var text: String {
    let client = stage.prosody?.clientPort ?? 0
    let metrics = stage.gateway.configuration.metricsPort
    return """

      All of it keeps running; Ctrl-C stops it and removes its files. Romeo and Juliet answer whoever writes to them.

      XMPP   log in as nurse@partner.test, password "nurse", server 127.0.0.1, port \(client), without TLS,
             and write to romeo@corp.test. With profanity (apt install profanity):
               /connect nurse@partner.test server 127.0.0.1 port \(client) tls disable
      SIP    any name, no password, registrar and outbound proxy 127.0.0.1:\(stage.kamailio.port) (UDP or TCP), domain
             corp.test, and write to juliet@partner.test. With linphonec (apt install linphone-cli), as mercutio:
               HOME=\(linphone) linphonec -c \(linphone)/linphonerc
               chat sip:juliet@partner.test by my count
      Errors write to nobody@corp.test, or to somebody@elsewhere.test, and see what comes back.

      metrics        http://127.0.0.1:\(metrics)/metrics   (also /healthz, /readyz)
      configuration  \(stage.gateway.configurationFile)
      log            \(stage.gateway.log.path)

      """
  }
}
