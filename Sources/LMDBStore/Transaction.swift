import CLMDB

/// The named databases of the file.
struct Databases {
  /// Numbers of the schema and of the id reservation; ASCII name → 8 bytes big-endian.
  var meta: MDB_dbi
  /// Entry id (8 bytes big-endian, so that the order of keys is the order of acceptance) → `EntryCodec` record.
  var entries: MDB_dbi
  /// `ReachedKey` → milliseconds since 1970, 8 bytes big-endian.
  var reached: MDB_dbi
  /// Records of `entries` and `reached` that could not be read, as they were, under their old key.
  var quarantine: MDB_dbi

  static let count: MDB_dbi = 4

  init(opening transaction: OpaquePointer) throws(LMDBFailure) {
    func open(_ name: String) throws(LMDBFailure) -> MDB_dbi {
      var database: MDB_dbi = 0
      try LMDBFailure.check(unsafe mdb_dbi_open(transaction, name, UInt32(MDB_CREATE), &database), "mdb_dbi_open")
      return database
    }
    meta = try open("meta")
    entries = try open("entries")
    reached = try open("reached")
    quarantine = try open("quarantine")
  }
}

/// A write transaction, valid inside `Environment.write` only.
@safe struct Transaction: ~Copyable {
  private let handle: OpaquePointer
  private let databases: Databases

  init(handle: OpaquePointer, databases: Databases) {
    unsafe self.handle = handle
    self.databases = databases
  }

  func put(_ database: KeyPath<Databases, MDB_dbi>, key: [UInt8], value: [UInt8]) throws(LMDBFailure) {
    let code = unsafe key.withUnsafeBytes { key in
      unsafe value.withUnsafeBytes { value in
        var keyValue = unsafe MDB_val(key)
        var dataValue = unsafe MDB_val(value)
        return unsafe mdb_put(handle, databases[keyPath: database], &keyValue, &dataValue, 0)
      }
    }
    try LMDBFailure.check(code, "mdb_put")
  }

  /// False if there was none.
  @discardableResult
  func delete(_ database: KeyPath<Databases, MDB_dbi>, key: [UInt8]) throws(LMDBFailure) -> Bool {
    let code = unsafe key.withUnsafeBytes { key in
      var keyValue = unsafe MDB_val(key)
      return unsafe mdb_del(handle, databases[keyPath: database], &keyValue, nil)
    }
    if code == MDB_NOTFOUND { return false }
    try LMDBFailure.check(code, "mdb_del")
    return true
  }

  func get(_ database: KeyPath<Databases, MDB_dbi>, key: [UInt8]) throws(LMDBFailure) -> [UInt8]? {
    var found = unsafe MDB_val()
    let code = unsafe key.withUnsafeBytes { key in
      var keyValue = unsafe MDB_val(key)
      return unsafe mdb_get(handle, databases[keyPath: database], &keyValue, &found)
    }
    if code == MDB_NOTFOUND { return nil }
    try LMDBFailure.check(code, "mdb_get")
    return unsafe found.bytes
  }

  /// Every record in the order of its key, copied out of the map.
  func forEach(
    _ database: KeyPath<Databases, MDB_dbi>, _ body: (_ key: [UInt8], _ value: [UInt8]) -> Void
  ) throws(LMDBFailure) {
    var opened: OpaquePointer?
    try LMDBFailure.check(unsafe mdb_cursor_open(handle, databases[keyPath: database], &opened), "mdb_cursor_open")
    guard let cursor = unsafe opened else { throw .call("mdb_cursor_open", code: MDB_PANIC) }
    defer { unsafe mdb_cursor_close(cursor) }
    var key = unsafe MDB_val()
    var value = unsafe MDB_val()
    while true {
      let code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
      if code == MDB_NOTFOUND { return }
      try LMDBFailure.check(code, "mdb_cursor_get")
      unsafe body(key.bytes, value.bytes)
    }
  }
}

extension MDB_val {
  /// LMDB takes keys and values through mutable pointers and does not write to them.
  fileprivate init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  fileprivate var bytes: [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: mv_data, count: mv_size))
  }
}

extension FixedWidthInteger {
  /// As keys and numbers are stored.
  var bigEndianBytes: [UInt8] {
    unsafe withUnsafeBytes(of: bigEndian) { bytes in unsafe [UInt8](bytes) }
  }

  /// nil unless there are exactly as many bytes as the type has.
  init?(bigEndianBytes bytes: [UInt8]) {
    guard bytes.count == Self.bitWidth / 8 else { return nil }
    self = bytes.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
  }
}
