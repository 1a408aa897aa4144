import CLMDB

/// Owner of the LMDB environment, closed with the value. Used by one thread at a time.
///
/// Every transaction is synchronous (neither `MDB_NOSYNC` nor `MDB_NOMETASYNC`): when `write` returns, a power cut
/// does not lose what it wrote.
struct Environment: ~Copyable {
  private let path: String
  /// nil between a failed commit and the next transaction, which opens it again.
  private var opened: Opened?
  private var mapSize: Int

  @safe private struct Opened {
    var environment: OpaquePointer
    var databases: Databases
  }

  /// Opens or creates `path/data.mdb`. A file that a newer release made unreadable is refused and left as it is.
  init(path: String, mapSize: Int) throws(LMDBFailure) {
    self.path = path
    self.mapSize = mapSize
    opened = try Self.open(path: path, mapSize: mapSize)
  }

  deinit {
    if let opened { unsafe mdb_env_close(opened.environment) }
  }

  private static func open(path: String, mapSize: Int) throws(LMDBFailure) -> Opened {
    var created: OpaquePointer?
    try LMDBFailure.check(unsafe mdb_env_create(&created), "mdb_env_create")
    guard let environment = unsafe created else { throw .call("mdb_env_create", code: MDB_PANIC) }
    do throws(LMDBFailure) {
      try LMDBFailure.check(unsafe mdb_env_set_mapsize(environment, mapSize), "mdb_env_set_mapsize")
      try LMDBFailure.check(unsafe mdb_env_set_maxdbs(environment, Databases.count), "mdb_env_set_maxdbs")
      try LMDBFailure.check(unsafe mdb_env_open(environment, path, UInt32(MDB_NOLOCK), 0o600), "mdb_env_open")
      let databases = unsafe try transact(environment) { (handle) throws(LMDBFailure) in
        let databases = unsafe try Databases(opening: handle)
        unsafe try Schema.check(Transaction(handle: handle, databases: databases))
        return databases
      }
      return unsafe Opened(environment: environment, databases: databases)
    } catch {
      unsafe mdb_env_close(environment)
      throw error
    }
  }

  /// Runs `body` in one write transaction and commits it durably; a throw undoes all of it.
  ///
  /// After a commit that failed it is not known whether the disk has it or not, and LMDB may refuse further work
  /// (`MDB_PANIC`): the environment is closed, and opened again by the next call, which finds one or the other.
  mutating func write<Result>(
    _ body: (borrowing Transaction) throws(LMDBFailure) -> Result
  ) throws(LMDBFailure) -> Result {
    let current = if let opened { opened } else { try Self.open(path: path, mapSize: mapSize) }
    opened = current
    do throws(LMDBFailure) {
      return unsafe try Self.transact(current.environment) { (handle) throws(LMDBFailure) in
        unsafe try body(Transaction(handle: handle, databases: current.databases))
      }
    } catch {
      if !error.isMapFull {
        unsafe mdb_env_close(current.environment)
        opened = nil
      }
      throw error
    }
  }

  /// Changes the size the file may grow to; never below what is in use.
  mutating func resize(to size: Int) throws(LMDBFailure) {
    if let opened {
      try LMDBFailure.check(unsafe mdb_env_set_mapsize(opened.environment, size), "mdb_env_set_mapsize")
    }
    mapSize = size
  }

  /// Bytes of the data file in use, free pages included.
  var usedBytes: Int {
    guard let opened else { return 0 }
    var info = unsafe MDB_envinfo()
    var statistics = MDB_stat()
    guard unsafe mdb_env_info(opened.environment, &info) == MDB_SUCCESS,
      unsafe mdb_env_stat(opened.environment, &statistics) == MDB_SUCCESS
    else { return 0 }
    return unsafe (info.me_last_pgno + 1) * Int(statistics.ms_psize)
  }

  private static func transact<Result>(
    _ environment: OpaquePointer, _ body: (OpaquePointer) throws(LMDBFailure) -> Result
  ) throws(LMDBFailure) -> Result {
    var begun: OpaquePointer?
    try LMDBFailure.check(unsafe mdb_txn_begin(environment, nil, 0, &begun), "mdb_txn_begin")
    guard let transaction = unsafe begun else { throw .call("mdb_txn_begin", code: MDB_PANIC) }
    let result: Result
    do throws(LMDBFailure) {
      result = unsafe try body(transaction)
    } catch {
      unsafe mdb_txn_abort(transaction)
      throw error
    }
    // Frees the transaction, whatever it returns.
    try LMDBFailure.check(unsafe mdb_txn_commit(transaction), "mdb_txn_commit")
    return result
  }
}
