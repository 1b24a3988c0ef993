internal import Dispatch
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// Looks whether payloads are what they must be: one JSON object each, of bounded size once it is inflated.
///
/// Small ones are looked at in the loop. What would take longer than a step may (a frame of 4 KiB can inflate to 4 MiB) is
/// handed to a thread of its own, in order and bounded in bytes.
final class PayloadChecks: @unchecked Sendable {
  /// Payload bytes that may wait; more are refused as too much at once.
  static let maximumBytes = 64 << 20
  /// Checks in the loop stop after this long in one of its steps.
  private static let stepMicroseconds: Int64 = 20_000
  /// Some 50 us of work: looking at the clock takes longer than looking at a small payload.
  private static let bytesBetweenLooks = 16 << 10

  private let maximumInstructionsBytes: Int
  private let queue = DispatchQueue(label: "carbontube.checks")
  private let answers: AnswerBox
  /// Touched by the loop alone.
  private(set) var waiting = 0
  private var waitingBytes = 0
  private var spent: Int64 = 0

  init(maximumInstructionsBytes: Int, wake: WakeUp) {
    self.maximumInstructionsBytes = maximumInstructionsBytes
    answers = AnswerBox(wake: wake)
  }

  /// A step of the loop begins.
  func beginStep() { spent = 0 }

  /// Whether `bytes` more may wait.
  func hasRoom(for bytes: Int) -> Bool { waiting == 0 || waitingBytes + bytes <= Self.maximumBytes }

  /// Calls `then` in the loop's thread, at once or from `deliverAnswers`, in the order of the calls. It gets what is wrong
  /// with each payload, nil where nothing is.
  func check(_ payloads: ArraySlice<[UInt8]>, then: @escaping ([String?]) -> Void) {
    let maximum = maximumInstructionsBytes
    var problems: [String?] = []
    problems.reserveCapacity(payloads.count)
    var rest = payloads
    if waiting == 0 {
      checkInLoop(&rest, &problems)
      if rest.isEmpty { return then(problems) }
    }
    submit(Array(rest), problems, maximum, then)
  }

  private func checkInLoop(_ rest: inout ArraySlice<[UInt8]>, _ problems: inout [String?]) {
    guard spent < Self.stepMicroseconds else { return }
    if rest.count == 1, let only = rest.first, only.count < 4_096, !CompressedJSON.isCompressed(only) {
      problems.append(Self.problem(with: only, maximumInstructionsBytes))
      return rest.removeAll()
    }
    let watch = StopWatch()
    defer { spent += watch.microseconds }
    var unmeasured = 0
    for payload in rest {
      unmeasured += CompressedJSON.isCompressed(payload) ? Self.bytesBetweenLooks : payload.count + 64
      if unmeasured > Self.bytesBetweenLooks {
        guard spent + watch.microseconds < Self.stepMicroseconds else { break }
        unmeasured = 0
      }
      problems.append(Self.problem(with: payload, maximumInstructionsBytes))
    }
    rest = rest.dropFirst(problems.count)
  }

  private func submit(
    _ rest: [[UInt8]], _ problems: [String?], _ maximum: Int, _ then: @escaping ([String?]) -> Void
  ) {
    let bytes = rest.reduce(0) { $0 + $1.count }
    waiting += 1
    waitingBytes += bytes
    let sent = SentChecks(then: then)
    queue.async { [self] in
      let found = problems + rest.map { Self.problem(with: $0, maximum) }
      answers.add(waking: true) { [self] in
        waiting -= 1
        waitingBytes -= bytes
        sent.then(found)
      }
    }
  }

  private static func problem(with payload: [UInt8], _ maximumBytes: Int) -> String? {
    do throws(InstructionsError) {
      try InstructionsJSON.check(try CompressedJSON.json(in: payload, maximumBytes: maximumBytes))
      return nil
    } catch {
      return error.message
    }
  }

  /// The loop's thread.
  func deliverAnswers() -> Bool { answers.deliver() }

  func drain() { queue.sync {} }
}

/// Returns to the loop's thread, where it was made.
private struct SentChecks: @unchecked Sendable { let then: ([String?]) -> Void }
