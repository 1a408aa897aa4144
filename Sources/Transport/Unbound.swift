import CUnbound
import Glibc
import Synchronization

/// An answer to one DNS question.
struct DNSAnswer: Sendable {
  /// RDATA of each record.
  var records: [[UInt8]]
  var nameExists: Bool
}

/// libunbound, which asks the DNS in a thread of its own, caches, follows CNAMEs and validates. A second thread here waits
/// for its results and hands them on; nothing ever blocks an event loop.
@safe final class Unbound: Sendable {
  typealias Completion = @Sendable (Result<DNSAnswer, ResolveError>) -> Void

  /// One question under way. libunbound holds a reference.
  private final class Question: Sendable {
    let unbound: Unbound
    let number: UInt64
    let name: String

    init(_ unbound: Unbound, number: UInt64, name: String) {
      self.unbound = unbound
      self.number = number
      self.name = name
    }
  }

  @safe private struct State {
    var number: UInt64 = 0
    var stopped = false
    var waiting: [UInt64: (Completion, Unmanaged<Question>)] = unsafe [:]
  }

  /// Thread-safe by libunbound's own locks.
  private nonisolated(unsafe) let context: OpaquePointer
  /// A pipe: readable when the thread is to end.
  private let (wakeUpOutput, wakeUpInput): (Int32, Int32)
  private let state = Mutex(State())
  private let maximumQuestions: Int

  init(_ configuration: ResolverConfiguration) throws(ResolveError) {
    guard let context = unsafe ub_ctx_create() else { throw .failure("libunbound cannot start") }
    do throws(ResolveError) {
      unsafe try UnboundSettings.apply(configuration, to: context)
    } catch {
      unsafe ub_ctx_delete(context)
      throw error
    }
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else {
      let reason = errno
      unsafe ub_ctx_delete(context)
      throw .failure("no pipe for the resolver: \(SystemError.text(reason))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (wakeUpOutput, wakeUpInput) = (ends[0], ends[1])
    maximumQuestions = configuration.maximumQuestions
    unsafe self.context = context
  }

  deinit {
    unsafe ub_ctx_delete(context)
    close(wakeUpOutput)
    close(wakeUpInput)
  }

  /// Starts the thread. It holds a reference until `stop`.
  func start() throws(ResolveError) {
    let pointer = unsafe Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer = unsafe pointer else { return nil }
        unsafe Unmanaged<Unbound>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, pointer.toOpaque())
    guard result == 0 else {
      unsafe pointer.release()
      throw .failure("no thread for the resolver: \(SystemError.text(result))")
    }
    pthread_detach(thread)
  }

  /// Ends the thread; open questions fail.
  func stop() {
    state.withLock { $0.stopped = true }
    var byte: UInt8 = 0
    unsafe write(wakeUpInput, &byte, 1)
  }

  /// - Parameter completion: called once, in the resolver's thread or in this call.
  func ask(_ name: String, type: RecordType, completion: @escaping Completion) {
    guard DNSName.isValid(name) else { return completion(.failure(.failure("\(name) is not a domain name"))) }
    let question: Unmanaged<Question>? = unsafe state.withLock { state in
      guard !state.stopped, unsafe state.waiting.count < maximumQuestions else { return nil }
      state.number += 1
      let question = unsafe Unmanaged.passRetained(Question(self, number: state.number, name: name))
      unsafe state.waiting[state.number] = (completion, question)
      return unsafe question
    }
    guard let question = unsafe question else {
      return completion(.failure(.failure("too many look-ups at once, or the resolver is stopped")))
    }
    let number = unsafe question.takeUnretainedValue().number
    let error = unsafe ub_resolve_async(
      context, name, type.rawValue, 1, question.toOpaque(),
      { data, error, result in
        defer { unsafe ub_resolve_free(result) }
        guard let data = unsafe data else { return }
        let question = unsafe Unmanaged<Question>.fromOpaque(data).takeUnretainedValue()
        let answer = unsafe Unbound.answer(name: question.name, error, result)
        question.unbound.finish(question.number, answer)
      }, nil)
    if error != 0 { finish(number, .failure(.failure(Self.text(error)))) }
  }

  private func finish(_ number: UInt64, _ result: Result<DNSAnswer, ResolveError>) {
    let waiting = unsafe state.withLock { unsafe $0.waiting.removeValue(forKey: number) }
    guard let (completion, question) = unsafe waiting else { return }
    completion(result)
    unsafe question.release()
  }

  private func run() {
    let input = Int16(POLLIN)
    var descriptors = [
      pollfd(fd: unsafe ub_fd(context), events: input, revents: 0), pollfd(fd: wakeUpOutput, events: input, revents: 0),
    ]
    while !state.withLock({ $0.stopped }) {
      unsafe poll(&descriptors, nfds_t(descriptors.count), -1)
      if descriptors[0].revents != 0 { unsafe ub_process(context) }
    }
    for number in state.withLock({ unsafe Array($0.waiting.keys) }) {
      finish(number, .failure(.failure("the resolver is stopped")))
    }
  }

  /// Records of one answer that are looked at.
  private static let recordLimit = 64

  private static func answer(
    name: String, _ error: Int32, _ result: UnsafeMutablePointer<ub_result>?
  ) -> Result<DNSAnswer, ResolveError> {
    guard error == 0, let result = unsafe result?.pointee else { return .failure(.failure("\(name): \(text(error))")) }
    if unsafe result.bogus != 0 {
      let reason = unsafe result.why_bogus.map { unsafe String(cString: $0) } ?? "validation failed"
      return .failure(.bogus("\(name): \(reason)"))
    }
    // RFC 1035 §4.1.1: 0 no error, 3 name error.
    guard unsafe result.rcode == 0 || result.rcode == 3 else {
      return .failure(.failure("\(name): \(unsafe rcodeName(result.rcode))"))
    }
    var records: [[UInt8]] = []
    var index = 0
    while records.count < recordLimit, let data = unsafe result.data?[index] {
      let length = unsafe Int(result.len[index])
      unsafe records.append(Array(UnsafeRawBufferPointer(start: data, count: length)))
      index += 1
    }
    return .success(DNSAnswer(records: records, nameExists: unsafe result.nxdomain == 0))
  }

  private static func rcodeName(_ code: Int32) -> String {
    switch code {
    case 2: "the name server failed (SERVFAIL), or none answers"
    case 5: "the name server refuses to answer (REFUSED)"
    default: "the name server answers with error \(code)"
    }
  }

  static func text(_ error: Int32) -> String {
    guard let text = unsafe ub_strerror(error) else { return "libunbound error \(error)" }
    return unsafe String(cString: text)
  }
}

/// IANA's numbers.
enum RecordType: Int32 {
  case a = 1
  case aaaa = 28
  case srv = 33
}
