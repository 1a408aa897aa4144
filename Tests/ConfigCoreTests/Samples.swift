@testable import ConfigCore

/// The smallest valid file, to which a test adds its own lines. 14 lines.
let minimal = """
  [[domain]]
  name = "corp.test"
  platform = "skype"
  certificate = "/c"
  key = "/k"
  [[platform]]
  name = "skype"
  host-name = "gw.corp.test"
  next-hop = "fe.corp.test"
  certificate = "/c"
  key = "/k"
  [[partner]]
  domain = "partner.test"
  # end

  """

func read(_ text: String) -> Configuration.Reading { Configuration.read(Array(text.utf8)) }

extension Configuration.Reading {
  var errors: [ConfigurationProblem] { problems.filter { $0.severity == .error } }
  var warnings: [ConfigurationProblem] { problems.filter { $0.severity == .warning } }
}
