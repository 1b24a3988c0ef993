internal import ArgumentParser
internal import CarbonTube

/// The address in front of the pipeline's name may be left out.
extension EnqueueCommand {
  /// Moves the words to where they belong: the parser takes the first for the address.
  mutating func settleWords() throws {
    if let addressOption, let problem = addressProblem(addressOption, binding: false) { throw ValidationError(problem) }
    if try isPipeline(address), let place = try elsewhere() {
      instructions = (pipelineName.map { [$0] } ?? []) + instructions
      (address, pipelineName) = (place, address)
    } else if context != nil {
      throw ValidationError("the address is given twice: '\(excerpt(address))' and --context; give it once")
    } else if addressOption != nil {
      throw ValidationError("the address is given twice: '\(excerpt(address))' and --address; give it once")
    }
    if let problem = addressProblem(address, binding: false) { throw ValidationError(problem + unnamed) }
    guard pipelineName != nil else { throw ValidationError("name the pipeline behind the address") }
  }

  /// No name of a pipeline has a colon, and no address is without one; so a mistyped address stays one.
  private func isPipeline(_ word: String) throws -> Bool {
    try requireText(word, of: "the first word")
    return !word.contains(":")
  }

  private func elsewhere() throws -> String? {
    guard addressOption == nil || context == nil else { throw ValidationError("give either --address or --context") }
    if let addressOption { return addressOption }
    do throws(CommandFailure) {
      if let context { return try CoordinatorAddress.ofContext(context) }
      return try CoordinatorAddress.named()
    } catch {
      guard error.status != .usage else { throw ValidationError(error.message) }
      // The parser has one number for all that is wrong with a command line, and this is not.
      StandardStreams.complain("carbontube: \(error.message)")
      throw ExitCode(error.status.rawValue)
    }
  }

  private var unnamed: String {
    address.contains(":") ? "" : "; it may be left out where --address or \(CoordinatorAddress.variable) says it"
  }
}
