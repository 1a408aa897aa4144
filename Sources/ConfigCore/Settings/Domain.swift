/// `[[domain]]`: a domain that Drawbridge serves.
package struct Domain: Settings {
  package var name = ""
  package var platform = ""
  package var certificate = ""
  package var key = ""

  package init() {}

  static let options: [Option<Domain>] = [
    Option(
      "name", \.name, .domain, required: true, example: "\"corp.example\"", effect: .live,
      "The domain, as it stands behind the @ in addresses."),
    Option(
      "platform", \.platform, .label, required: true, example: "\"skype\"", effect: .live,
      "The name of the [[platform]] where its users are."),
    Option(
      "certificate", \.certificate, .file(.certificate), required: true,
      example: "\"/etc/drawbridge/corp.example.crt\"", effect: .reconnect,
      "PEM file: the certificate for this domain and then the chain up to the authority. Partners check it."),
    Option(
      "key", \.key, .file(.key), required: true, example: "\"/etc/drawbridge/corp.example.key\"", effect: .reconnect,
      "PEM file: the private key of the certificate."),
  ]
}
