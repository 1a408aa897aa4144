import Glibc

/// A thread of its own for work that blocks. All signals are blocked in it, so that they reach the main thread.
struct WorkerThread: Sendable {
  private let thread: pthread_t

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  init(name: String, _ body: @escaping @Sendable () -> Void) throws(StoreError) {
    let work = unsafe Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        work.body()
        return nil
      }, work.toOpaque())
    if code != 0 {
      unsafe work.release()
      throw .unusable(path: "thread \(name)", problem: StoreDirectory.errorText(code))
    }
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }
}
