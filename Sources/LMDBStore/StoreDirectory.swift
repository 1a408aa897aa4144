import Glibc

/// The directory of the store and the lock that keeps a second process out. Freed with the value.
///
/// LMDB's own lock file is not used (`MDB_NOLOCK`): there is one process and one writing thread, and a shared memory
/// map that a full disk cannot back would end the process with SIGBUS. The price: while the gateway runs, `mdb_stat`
/// and `mdb_copy` may see pages change under them.
struct StoreDirectory: ~Copyable {
  let path: String
  private let directory: Int32
  private let lock: Int32

  /// Creates the directory (its parent must exist) and takes the lock.
  init(path: String) throws(StoreError) {
    self.path = path
    let created = unsafe mkdir(path, 0o700) == 0
    if !created && errno != EEXIST {
      throw .unusable(path: path, problem: "cannot create the directory: \(Self.errorText(errno))")
    }
    let directory = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw .unusable(path: path, problem: Self.errorText(errno)) }
    let lock = unsafe openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else {
      let problem = "cannot create the lock file: \(Self.errorText(errno))"
      close(directory)
      throw .unusable(path: path, problem: problem)
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let holder = Self.holder(lock)
      close(lock)
      close(directory)
      if code == EWOULDBLOCK { throw .locked(path: path, holder: holder) }
      throw .unusable(path: path, problem: "cannot lock it: \(Self.errorText(code))")
    }
    self.directory = directory
    self.lock = lock
    recordHolder()
    if created { Self.syncParent(of: path) }
  }

  deinit {
    // The lock goes with its descriptor.
    close(lock)
    close(directory)
  }

  /// Makes the names of newly created files durable: the sync of a file does not cover its directory entry.
  func sync() throws(StoreError) {
    if fsync(directory) != 0 {
      throw .unusable(path: path, problem: "cannot sync the directory: \(Self.errorText(errno))")
    }
  }

  /// Writes the process id into the lock file, for the error text that a second process shows. Best effort.
  private borrowing func recordHolder() {
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(lock, 0) == 0 else { return }
    _ = unsafe text.withUnsafeBytes { bytes in unsafe pwrite(lock, bytes.baseAddress, bytes.count, 0) }
  }

  private static func holder(_ lock: Int32) -> String? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in unsafe pread(lock, bytes.baseAddress, bytes.count, 0) }
    guard count > 0 else { return nil }
    let digits = buffer.prefix(count).prefix { (0x30...0x39).contains($0) }
    return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
  }

  private static func syncParent(of path: String) {
    var parent = path
    while parent.count > 1 && parent.hasSuffix("/") { parent.removeLast() }
    parent = parent.lastIndex(of: "/").map { String(parent[...$0]) } ?? "."
    let descriptor = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }

  static func errorText(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
