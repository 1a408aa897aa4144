import Foundation

/// Functions of the C library that Swift's Glibc does not show, since they are behind _GNU_SOURCE.
enum Hidden {
  typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
  typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

  /// setns(2)
  static let setNamespace = dlsym(nil, "setns").map { unsafeBitCast($0, to: SetNamespace.self) }
  /// glibc 2.34
  static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
    unsafeBitCast($0, to: CloseFrom.self)
  }
}
