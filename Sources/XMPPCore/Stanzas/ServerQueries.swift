package import XMLStreaming

/// Answers the questions that other servers put to a domain of ours.
package struct ServerQueries: Sendable {
  package var softwareName: String
  package var softwareVersion: String

  package init(softwareName: String, softwareVersion: String) {
    self.softwareName = softwareName
    self.softwareVersion = softwareVersion
  }

  /// The answer to an `iq`; nil for results and errors, which nobody answers (RFC 6120 §8.2.3).
  package func answer(_ query: Stanza) -> XMLElement? {
    guard let type = query.type, let id = query.id, !id.isEmpty else {
      return query.answered(with: StanzaError(.badRequest))
    }
    let payloads = Array(query.element.elements.prefix(2))
    guard type == "get" || type == "set" else { return nil }
    guard payloads.count == 1, let payload = payloads.first else {
      return query.answered(with: StanzaError(.badRequest))
    }
    guard type == "get", query.to.isDomain else {
      // RFC 6121 §8.5.1: neither our users nor their devices answer queries.
      return query.answered(with: StanzaError(.serviceUnavailable))
    }
    switch (payload.local, payload.namespace) {
    case ("ping", Namespace.ping): return query.result()
    case ("query", Namespace.version): return query.result(version)
    case ("query", Namespace.discoInfo), ("query", Namespace.discoItems):
      // XEP-0030 §3.2, §7: no nodes here.
      guard payload["node"] == nil else { return query.answered(with: StanzaError(.itemNotFound)) }
      return query.result(
        payload.namespace == Namespace.discoInfo ? info : XMLElement("query", namespace: Namespace.discoItems))
    default: return query.answered(with: StanzaError(.serviceUnavailable))
    }
  }

  package static func isPing(_ stanza: Stanza) -> Bool {
    stanza.kind == .iq && stanza.type == "get" && stanza.element.child("ping", Namespace.ping) != nil
  }

  // XEP-0092 §2
  private var version: XMLElement {
    XMLElement("query", namespace: Namespace.version)
      .adding("name", namespace: Namespace.version, text: softwareName)
      .adding("version", namespace: Namespace.version, text: softwareVersion)
  }

  /// A federated domain is a server to its partners, whatever it is made of: clients show a `gateway` as something to
  /// register with, which nobody can here.
  private var info: XMLElement {
    let namespace = Namespace.discoInfo
    var info = XMLElement("query", namespace: namespace)
    info.add(
      XMLElement(
        "identity", namespace: namespace, attributes: [("category", "server"), ("type", "im"), ("name", softwareName)]))
    // XEP-0106 §6 names its feature with the escape in it.
    for feature in [Namespace.discoInfo, Namespace.discoItems, Namespace.version, Namespace.ping, "jid\\20escaping"] {
      info.add(XMLElement("feature", namespace: namespace, attributes: [("var", feature)]))
    }
    return info
  }
}
