import Glibc
import NIOCore

/// The operating system's errors in words.
enum SystemError {
  static func text(_ code: Int32) -> String {
    // Thread-safe since glibc 2.32.
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  static func text(_ error: any Error) -> String {
    switch error {
    case let error as IOError: text(error.errnoCode)
    case ChannelError.connectTimeout(let time): "no answer within \(time.text)"
    default: "\(error)"
    }
  }
}
