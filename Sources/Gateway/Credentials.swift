import ConfigCore
import Transport

/// The certificates and keys that a configuration names, loaded.
struct Credentials {
  /// By domain served.
  var domains: [String: TLSIdentity] = [:]
  /// By platform name; none for platforms over TCP.
  var platforms: [String: TLSIdentity] = [:]
  var trust: TrustStore

  init(_ configuration: Configuration) throws(TLSError) {
    trust =
      switch configuration.tls.ca {
      case .system: .system
      case .file(let path): .file(path)
      }
    for domain in configuration.domains {
      domains[domain.name] = try TLSIdentity(
        certificateFile: domain.certificate, keyFile: domain.key, domains: [domain.name])
    }
    for platform in configuration.platforms {
      guard platform.transport == .tls, let certificate = platform.certificate, let key = platform.key else { continue }
      platforms[platform.name] = try TLSIdentity(
        certificateFile: certificate, keyFile: key, domains: [platform.hostName])
    }
  }

  /// What is wrong with them, found by loading them.
  static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
    func mistake(_ path: String, _ problem: String, _ fix: String, _ severity: ConfigurationProblem.Severity)
      -> ConfigurationProblem
    { ConfigurationProblem(line: nil, path: path, problem: problem, fix: fix, severity: severity) }

    do throws(TLSError) {
      let credentials = try Credentials(configuration)
      _ = try TLSContext.client(identity: nil, trust: credentials.trust, options: TLSOptions())
      var problems: [ConfigurationProblem] = []
      for (name, identity) in credentials.domains.sorted(by: { $0.key < $1.key }) {
        if !identity.certificate.matchesXMPP(domain: name) {
          problems.append(
            mistake(
              "domain \(name)", "\(identity.certificateFile) is not for \(name): partners will refuse it",
              "have a certificate issued with \(name) as subject alternative name", .warning))
        }
        for warning in identity.warnings {
          problems.append(mistake("domain \(name)", warning, "replace the certificate or its key file", .warning))
        }
      }
      return problems
    } catch {
      return [mistake("", error.description, "give a certificate and its key, both in PEM form", .error)]
    }
  }
}
