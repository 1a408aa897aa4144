extension KamailioConfiguration {
  /// Profiles of the tls module: a certificate is shown to and asked of everybody.
  var tlsProfiles: String {
    ["server", "client"].map { role in
      """
      [\(role):default]
      method = TLSv1.2+
      verify_certificate = yes
      require_certificate = yes
      private_key = \(certificate.key)
      certificate = \(certificate.certificate)
      ca_list = \(authority)

      """
    }.joined()
  }

  /// The routing script. What the gateway sends may go to this domain's users only; what users send for another
  /// domain goes to the gateway.
  func script(port: Int, tlsPort: Int, profiles: String) -> String {
    let next = "sip:127.0.0.1:\(gatewayPort);transport=\(gatewayTransport == .tls ? "tls" : "tcp")"
    let fixed = fixedUsers.sorted { $0.key < $1.key }.map { user, port in
      "    if ($rU == \"\(user)\") { $du = \"sip:127.0.0.1:\(port);transport=tcp\"; route(RELAY); }\n"
    }.joined()
    return """
      #!KAMAILIO
      debug=\(debug)
      log_stderror=yes
      children=2
      tcp_children=2
      enable_tls=yes
      listen=udp:127.0.0.1:\(port)
      listen=tcp:127.0.0.1:\(port)
      listen=tls:127.0.0.1:\(tlsPort)
      auto_aliases=no
      alias="\(domain)"
      dns_try_ipv6=no
      tcp_connection_lifetime=3600
      tcp_accept_aliases=yes
      loadmodule "tls.so"
      loadmodule "tm.so"
      loadmodule "sl.so"
      loadmodule "rr.so"
      loadmodule "pv.so"
      loadmodule "maxfwd.so"
      loadmodule "usrloc.so"
      loadmodule "registrar.so"
      loadmodule "textops.so"
      loadmodule "siputils.so"
      loadmodule "xlog.so"
      modparam("tls", "config", "\(profiles)")
      modparam("usrloc", "db_mode", 0)
      modparam("registrar", "max_contacts", 4)
      modparam("tm", "fr_timer", \(Int(answerLimit.milliseconds)))
      modparam("tm", "fr_inv_timer", 60000)

      request_route {
        xlog("L_NOTICE", "$proto $si:$sp $rm $ru from $fu\\n");
        if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
        if ($proto == "tls" && !is_peer_verified()) { sl_send_reply("403", "Certificate Required"); exit; }
        if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
        if (has_totag()) {
          if (loose_route()) { route(RELAY); }
          if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
          sl_send_reply("404", "Not Here");
          exit;
        }
        if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
        if (is_method("REGISTER")) {
          if ($proto == "tls") { sl_send_reply("403", "Forbidden"); exit; }
          save("location");
          exit;
        }
        t_check_trans();
        if (is_method("INVITE|SUBSCRIBE")) { record_route(); }
        if ($rd == "\(domain)") {
      \(fixed)
          if (!lookup("location")) {
            if ($rc == -2) { sl_send_reply("405", "Method Not Allowed"); } else { sl_send_reply("404", "Not Found"); }
            exit;
          }
          route(RELAY);
        }
        # From the gateway, for somebody else's user: it is not the way to the world.
        if ($proto == "tls") { sl_send_reply("403", "Relaying Denied"); exit; }
        $du = "\(next)";
        route(RELAY);
      }

      route[RELAY] {
        if ($rd == "\(gatewayHost ?? "none.invalid")") { $du = "\(next)"; }
        if (!t_relay()) { sl_reply_error(); }
        exit;
      }

      """
  }
}
