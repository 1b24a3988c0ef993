internal import JobStorage
internal import PipelineModel
internal import ZeroMQTransport

/// A look at the store that somebody waits for.
struct Read {
  /// Done where the reader is; what it returns is called in the loop's thread.
  let work: (any JobReader) -> Outcome
  /// It will not be done; called in the loop's thread.
  let refuse: (String) -> Void

  struct Outcome {
    var error: StoreError?
    var deliver: () -> Void
  }

  /// - Parameters:
  ///   - then: called in the loop's thread with what was found.
  ///   - refuse: called there instead, where it will not be done.
  init<Value>(
    _ look: @escaping (any JobReader) throws(StoreError) -> Value,
    then: @escaping (Result<Value, StoreError>) -> Void, refuse: @escaping (String) -> Void
  ) {
    work = { reader in
      let found = result { () throws(StoreError) in try look(reader) }
      if case .failure(let error) = found { return Outcome(error: error) { then(found) } }
      return Outcome(error: nil) { then(found) }
    }
    self.refuse = refuse
  }
}

/// Looks at the store by a connection of its own, and puts large answers into words, on a thread of its own that yields to
/// all others: so looking never stands in the way of a turn, nor a reader that hangs in the way of anything but other reads.
final class ReadExecutor: @unchecked Sendable {
  private let thread: YieldingThread
  private let answers: AnswerBox

  /// - Parameter yields: false where the pipeline itself waits for what is read.
  init(wake: WakeUp, yields: Bool) {
    answers = AnswerBox(wake: wake)
    thread = YieldingThread(name: "carbontube.reads", yields: yields)
  }

  /// One at a time: the next is submitted after the answer of this one.
  /// - Parameter then: gets how many microseconds it took.
  func submit(_ read: Read, to reader: any JobReader, then: @escaping (StoreError?, Int64) -> Void) {
    let sent = SentRead(read: read, reader: reader, then: then)
    thread.run { [answers] in
      let watch = StopWatch()
      let outcome = sent.read.work(sent.reader)
      let (answer, taken) = (SentOutcome(outcome: outcome), watch.microseconds)
      answers.add(waking: true) {
        sent.then(answer.outcome.error, taken)
        answer.outcome.deliver()
      }
    }
  }

  /// Calls `work`, then `answer` in the loop's thread with what it returned.
  func prepare(_ work: @escaping () -> [UInt8], then answer: @escaping ([UInt8]) -> Void) {
    let sent = SentPreparation(work: work, answer: answer)
    thread.run { [answers] in
      let bytes = sent.work()
      answers.add(waking: true) { sent.answer(bytes) }
    }
  }

  /// Closes a reader after the reads submitted before.
  func close(_ reader: any JobReader) {
    let sent = SentReader(reader: reader)
    thread.run { sent.reader.close() }
  }

  /// The loop's thread; see `StoreExecutor.deliverAnswers`.
  func deliverAnswers() -> Bool { answers.deliver() }

  /// Waits until everything submitted so far is done.
  func drain() { thread.drain() }
}

/// Handed from the loop's thread to the executor's, and its answers back.
private struct SentRead: @unchecked Sendable {
  let read: Read
  let reader: any JobReader
  let then: (StoreError?, Int64) -> Void
}

private struct SentOutcome: @unchecked Sendable { let outcome: Read.Outcome }

private struct SentPreparation: @unchecked Sendable {
  let work: () -> [UInt8]
  let answer: ([UInt8]) -> Void
}

private struct SentReader: @unchecked Sendable { let reader: any JobReader }
