internal import PipelineModel
internal import WireProtocol

/// A request that cannot be carried out, with the answer for whoever sent it.
struct Refusal: Error {
  var code: ReplyCode
  var message: String

  static var noJobID: Refusal {
    Refusal(code: .invalid, message: "'id' must be a job id of 1 to \(JobID.maximumLength) plain characters")
  }
}
