extension KnownNames {
  /// Order does not matter; a missing name costs some nanoseconds, not correctness.
  static let catalogue: [XMLName] = table.flatMap { namespace, locals in
    locals.split(separator: " ").map { XMLName(String($0), namespace: namespace) }
  }

  private static let errorConditions =
    "bad-request conflict feature-not-implemented forbidden gone internal-server-error item-not-found jid-malformed "
    + "not-acceptable not-allowed not-authorized policy-violation recipient-unavailable redirect "
    + "registration-required remote-server-not-found remote-server-timeout resource-constraint service-unavailable "
    + "subscription-required undefined-condition unexpected-request text"

  private static let table: [(namespace: String, locals: String)] = [
    ("", "from to id type version by code mechanism h resumption previd max location resume xmlns node ver hash name"),
    ("", "category var stamp algo sid label reason jid affiliation role action status"),
    ("http://www.w3.org/XML/1998/namespace", "lang space base"),
    ("jabber:server", "message presence iq body subject thread show status priority error"),
    ("jabber:client", "message presence iq body subject thread show status priority error"),
    ("http://etherx.jabber.org/streams", "stream features error"),
    ("jabber:server:dialback", "result verify"),
    ("urn:xmpp:features:dialback", "dialback errors"),
    ("urn:ietf:params:xml:ns:xmpp-tls", "starttls proceed failure required optional"),
    ("urn:ietf:params:xml:ns:xmpp-sasl", "mechanisms mechanism auth challenge response success failure abort"),
    ("urn:ietf:params:xml:ns:xmpp-stanzas", errorConditions),
    ("urn:ietf:params:xml:ns:xmpp-streams", "text policy-violation host-unknown invalid-from not-authorized"),
    ("urn:xmpp:sm:3", "sm enable enabled resume resumed failed a r"),
    ("urn:xmpp:ping", "ping"),
    ("urn:xmpp:bidi", "bidi"),
    ("urn:xmpp:features:bidi", "bidi"),
    ("urn:xmpp:stream-limits:0", "limits max-bytes idle-seconds"),
    ("urn:xmpp:receipts", "request received"),
    ("urn:xmpp:chat-markers:0", "markable received displayed acknowledged"),
    ("urn:xmpp:hints", "no-store no-copy no-permanent-store store"),
    ("urn:xmpp:delay", "delay"),
    ("urn:xmpp:sid:0", "stanza-id origin-id"),
    ("urn:xmpp:message-correct:0", "replace"),
    ("urn:xmpp:carbons:2", "private sent received"),
    ("jabber:iq:version", "query name version os"),
    ("jabber:iq:last", "query"),
    ("jabber:x:oob", "x url desc"),
    ("jabber:x:data", "x field value option title instructions"),
    ("http://jabber.org/protocol/chatstates", "active composing paused inactive gone"),
    ("http://jabber.org/protocol/disco#info", "query identity feature"),
    ("http://jabber.org/protocol/disco#items", "query item"),
    ("http://jabber.org/protocol/caps", "c"),
    ("http://jabber.org/protocol/xhtml-im", "html"),
    ("http://jabber.org/protocol/nick", "nick"),
    ("http://www.w3.org/1999/xhtml", "body p span a br strong em"),
    ("vcard-temp:x:update", "x photo"),
    ("vcard-temp", "vCard FN N NICKNAME PHOTO TYPE BINVAL EMAIL TEL"),
    ("urn:ietf:params:xml:ns:pidf", "presence tuple status basic contact note timestamp"),
    ("urn:ietf:params:xml:ns:im-iscomposing", "isComposing state lastactive contenttype refresh"),
  ]
}
