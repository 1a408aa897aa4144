import CLMDB
import Glibc

/// An LMDB call that failed, or a file that the schema check refused.
enum LMDBFailure: Error, Hashable {
  /// `code` is an errno value or one of LMDB's own negative ones.
  case call(String, code: Int32)
  case newerSchema(version: UInt64, minimumReader: UInt64)

  static func check(_ code: Int32, _ call: StaticString) throws(LMDBFailure) {
    if code != MDB_SUCCESS { throw .call("\(call)", code: code) }
  }

  var isMapFull: Bool {
    switch self {
    case .call(_, MDB_MAP_FULL): true
    default: false
    }
  }

  /// For the operator.
  var reason: String {
    switch self {
    case .call(_, MDB_MAP_FULL): "the store has reached its maximum size"
    case .call(_, ENOSPC), .call(_, EDQUOT): "no space left on the disk of the store"
    case .call(let call, let code): "\(call): \(unsafe String(cString: mdb_strerror(code)))"
    case .newerSchema: "a newer release wrote the store"
    }
  }

  func storeError(path: String) -> StoreError {
    switch self {
    case .newerSchema(let version, let minimumReader):
      .newerSchema(path: path, version: version, minimumReader: minimumReader)
    case .call(_, MDB_INVALID), .call(_, MDB_VERSION_MISMATCH), .call(_, MDB_CORRUPTED),
      .call(_, MDB_PAGE_NOTFOUND), .call(_, MDB_INCOMPATIBLE):
      .damaged(path: path, problem: reason)
    case .call: .unusable(path: path, problem: reason)
    }
  }
}
