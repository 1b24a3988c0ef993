internal import Dispatch
internal import JobStorage
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
}

/// Reads on a thread of their own and a connection of their own, so that looking at jobs never stands in the way of a
/// turn, nor a reader that hangs in the way of anything but other reads.
final class ReadLane: @unchecked Sendable {
  private let queue = DispatchQueue(label: "carbontube.reads")
  private let answers: AnswerBox

  init(wake: WakeUp) { answers = AnswerBox(wake: wake) }

  /// One at a time: the next is submitted after the answer of this one.
  func submit(_ read: Read, to reader: any JobReader, then: @escaping (StoreError?) -> Void) {
    let sent = SentRead(read: read, reader: reader, then: then)
    queue.async { [self] in
      let outcome = sent.read.work(sent.reader)
      let answer = SentOutcome(outcome: outcome)
      answers.add(waking: true) {
        sent.then(answer.outcome.error)
        answer.outcome.deliver()
      }
    }
  }

  /// Closes a reader after the reads submitted before.
  func close(_ reader: any JobReader) {
    let sent = SentReader(reader: reader)
    queue.async { sent.reader.close() }
  }

  /// The loop's thread; see `StoreLane.deliverAnswers`.
  func deliverAnswers() -> Bool { answers.deliver() }

  /// Waits until everything submitted so far is done.
  func drain() { queue.sync {} }
}

/// Handed from the loop's thread to the lane's, and its answers back.
private struct SentRead: @unchecked Sendable {
  let read: Read
  let reader: any JobReader
  let then: (StoreError?) -> Void
}

private struct SentOutcome: @unchecked Sendable { let outcome: Read.Outcome }

private struct SentReader: @unchecked Sendable { let reader: any JobReader }
