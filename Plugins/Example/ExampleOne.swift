import FileHashing
import PhaseKit

/// Makes a file, hashes it, deletes it.
struct ExampleOne: Pipeline {
  static let name = "example-one"
  static let summary = "Makes a file of random lines, hashes it, deletes it"
  static let phases = [GenerateFile.jobType, CalculateHash.jobType, DeleteFile.jobType]
}
