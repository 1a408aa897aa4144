/// Why the store cannot be opened. The text is for the operator: it names the path and what to do.
package enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The directory or one of its files cannot be created, opened or locked.
  case unusable(path: String, problem: String)
  /// Another process has it open. `holder` is its process id, where known.
  case locked(path: String, holder: String?)
  /// Written by a newer program, in a form this one cannot read.
  case newerSchema(path: String, version: UInt64, minimumReader: UInt64)
  /// The data file is not an LMDB file, or damaged beyond what the store can mend.
  case damaged(path: String, problem: String)

  package var description: String {
    switch self {
    case .unusable(let path, let problem):
      return "cannot use the store \(path): \(problem)"
    case .locked(let path, let holder):
      let who = holder.map { "process \($0)" } ?? "another process"
      return "the store \(path) is in use by \(who): stop it first, or give this one another [store] path"
    case .newerSchema(let path, let version, let minimumReader):
      return
        "the store \(path) was written by a newer release (schema \(version), readable from schema \(minimumReader) "
        + "on; this release knows schema \(Schema.version)): install that release, or move the directory away"
    case .damaged(let path, let problem):
      return "the store \(path) is damaged: \(problem): restore a copy, or move the directory away to start empty"
    }
  }
}
