package enum Namespace {
  package static let streams = "http://etherx.jabber.org/streams"
  package static let server = "jabber:server"
  package static let dialback = "jabber:server:dialback"
  package static let dialbackFeature = "urn:xmpp:features:dialback"
  package static let tls = "urn:ietf:params:xml:ns:xmpp-tls"
  package static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  package static let streamErrors = "urn:ietf:params:xml:ns:xmpp-streams"
  package static let stanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas"
  package static let streamManagement = "urn:xmpp:sm:3"
  package static let compression = "http://jabber.org/protocol/compress"
  package static let ping = "urn:xmpp:ping"
  package static let discoInfo = "http://jabber.org/protocol/disco#info"
  package static let discoItems = "http://jabber.org/protocol/disco#items"
  package static let version = "jabber:iq:version"
  package static let chatStates = "http://jabber.org/protocol/chatstates"

  /// What our stream headers declare, namespace → prefix. `db` is what old peers insist on (XEP-0220 §2.3).
  package static let prefixes = [streams: "stream", dialback: "db"]
}
