/// Every section, in the order of the reference file.
package enum Schema {
  static let sections: [Section] = [
    .repeated(
      "domain", \.domains,
      "A domain of the organisation. Its users are on a platform; to partners the gateway is its server."),
    .repeated(
      "partner", \.partners,
      "A domain that may federate with the organisation. Everybody else is refused."),
    .repeated(
      "platform", \.platforms,
      "A chat system of the organisation, and the way to it."),
    .single("xmpp", \.xmpp, "Where partners' servers connect, and how much they may ask for."),
    .single("tls", \.tls, "What is trusted, for partners and platforms alike."),
    .single("dns", \.dns, "Where names are looked up."),
    .single("queue", \.queue, "What happens to messages that cannot be delivered at once."),
    .single("store", \.store, "Where messages rest until they are delivered."),
    .single("log", \.log, "What is written to standard error. Never the text of a message."),
    .single(
      "metrics", \.metrics, "/metrics for Prometheus, /healthz and /readyz. There is no authentication: keep it local."),
  ]

  /// Every option there is.
  package static var options: [OptionInfo] { sections.flatMap(\.options) }
}
