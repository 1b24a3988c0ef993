internal import Dispatch
internal import PhaseSettings
internal import Synchronization
internal import WireProtocol
internal import ZeroMQTransport

/// Looks whether payloads are what they must be: one JSON object each, of bounded size once it is inflated, and what the
/// first phase takes where that is known.
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

  /// Of a check against a schema in the loop: some 200 us. What takes more goes to the thread.
  private static let stepsInLoop = 500

  /// What is wrong with a payload.
  struct Problem: Equatable, Sendable {
    var code: ReplyCode
    var message: String
  }

  private struct Rules: Sendable {
    var maximumBytes: Int
    var schema: InstructionsSchema?
  }

  private enum Finding {
    case fine
    case wrong(Problem)
    case undecided
  }

  private let rules: Rules
  private let queue = DispatchQueue(label: "carbontube.checks")
  private let answers: AnswerBox
  /// Touched by the loop alone.
  private(set) var waiting = 0
  private var waitingBytes = 0
  private var spent: Int64 = 0

  init(maximumInstructionsBytes: Int, schema: InstructionsSchema? = nil, wake: WakeUp) {
    rules = Rules(maximumBytes: maximumInstructionsBytes, schema: schema)
    answers = AnswerBox(wake: wake)
  }

  /// A step of the loop begins.
  func beginStep() { spent = 0 }

  /// Whether `bytes` more may wait.
  func hasRoom(for bytes: Int) -> Bool { waiting == 0 || waitingBytes + bytes <= Self.maximumBytes }

  /// Calls `then` in the loop's thread, at once or from `deliverAnswers`, in the order of the calls. It gets what is wrong
  /// with each payload, nil where nothing is.
  func check(_ payloads: ArraySlice<[UInt8]>, then: @escaping ([String?]) -> Void) {
    check(payloads, Rules(maximumBytes: rules.maximumBytes)) { problems in then(problems.map { $0?.message }) }
  }

  /// As `check`, for instructions of new jobs: they are what the first phase gets.
  func checkNew(_ payloads: ArraySlice<[UInt8]>, then: @escaping ([Problem?]) -> Void) {
    check(payloads, rules, then: then)
  }

  private func check(_ payloads: ArraySlice<[UInt8]>, _ rules: Rules, then: @escaping ([Problem?]) -> Void) {
    var problems: [Problem?] = []
    problems.reserveCapacity(payloads.count)
    var rest = payloads
    if waiting == 0 {
      checkInLoop(&rest, rules, &problems)
      if rest.isEmpty { return then(problems) }
    }
    submit(Array(rest), rules, problems, then)
  }

  private func checkInLoop(_ rest: inout ArraySlice<[UInt8]>, _ rules: Rules, _ problems: inout [Problem?]) {
    guard spent < Self.stepMicroseconds else { return }
    if rules.schema == nil, rest.count == 1, let only = rest.first, only.count < 4_096,
      !CompressedJSON.isCompressed(only)
    {
      _ = look(at: only, rules, &problems)
      return rest.removeAll()
    }
    let watch = StopWatch()
    defer { spent += watch.microseconds }
    var unmeasured = 0
    for payload in rest {
      unmeasured += CompressedJSON.isCompressed(payload) ? Self.bytesBetweenLooks : cost(of: payload, rules)
      if unmeasured > Self.bytesBetweenLooks {
        guard spent + watch.microseconds < Self.stepMicroseconds else { break }
        unmeasured = 0
      }
      guard look(at: payload, rules, &problems) else { break }
    }
    rest = rest.dropFirst(problems.count)
  }

  /// In bytes of JSON that is looked at without a schema.
  private func cost(of payload: [UInt8], _ rules: Rules) -> Int {
    (payload.count + 64) * (rules.schema == nil ? 1 : 16)
  }

  /// - Returns: false where it would take too long here.
  private func look(at payload: [UInt8], _ rules: Rules, _ problems: inout [Problem?]) -> Bool {
    switch Self.finding(on: payload, rules, steps: Self.stepsInLoop) {
    case .fine: problems.append(nil)
    case .wrong(let problem): problems.append(problem)
    case .undecided: return false
    }
    return true
  }

  private func submit(
    _ rest: [[UInt8]], _ rules: Rules, _ problems: [Problem?], _ then: @escaping ([Problem?]) -> Void
  ) {
    let bytes = rest.reduce(0) { $0 + $1.count }
    waiting += 1
    waitingBytes += bytes
    let sent = SentChecks(then: then)
    queue.async { [self] in
      let found = problems + rest.map { Self.problem(with: $0, rules) }
      answers.add(waking: true) { [self] in
        waiting -= 1
        waitingBytes -= bytes
        sent.then(found)
      }
    }
  }

  private static func problem(with payload: [UInt8], _ rules: Rules) -> Problem? {
    guard case .wrong(let problem) = finding(on: payload, rules, steps: InstructionsSchema.mostSteps) else {
      return nil
    }
    return problem
  }

  private static func finding(on payload: [UInt8], _ rules: Rules, steps: Int) -> Finding {
    do throws(InstructionsError) {
      let json = try CompressedJSON.json(in: payload, maximumBytes: rules.maximumBytes)
      try InstructionsJSON.check(json)
      switch rules.schema?.verdict(on: json, steps: steps) {
      case nil, .fits: return .fine
      case .undecided: return .undecided
      case .unfit(let message): return .wrong(Problem(code: .unfit, message: message))
      }
    } catch {
      return .wrong(Problem(code: .invalid, message: error.message))
    }
  }

  func drain() { queue.sync {} }

  /// The loop's thread.
  func deliverAnswers() -> Bool { answers.deliver() }
}

/// Returns to the loop's thread, where it was made.
private struct SentChecks: @unchecked Sendable { let then: ([PayloadChecks.Problem?]) -> Void }
