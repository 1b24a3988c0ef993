internal import CarbonTube
internal import Glibc
internal import PipelineModel

/// The instructions of a command line, or of stdin where it says `-`; byte for byte.
enum InstructionsSource {
  /// - Throws: where some are no instructions, naming which.
  static func read(_ arguments: [String]) throws(CommandFailure) -> [[UInt8]] {
    guard arguments == ["-"] else {
      guard !arguments.contains("-") else {
        throw CommandFailure(.usage, "'-' reads all instructions from stdin; give it by itself")
      }
      var found: [[UInt8]] = []
      for argument in arguments { found.append(try checked(Array(argument.utf8)[...], at: nil)) }
      return found
    }
    let lines = try standardInput().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    var found: [[UInt8]] = []
    for (index, line) in lines.enumerated() where !line.allSatisfy(JSONMembers.isBlank) {
      found.append(try checked(line, at: index + 1))
    }
    // Whoever was to write them may have failed.
    if found.isEmpty { StandardStreams.complain("carbontube: no instructions on stdin, so no jobs") }
    return found
  }

  /// - Parameter line: of stdin; nil: of the command line.
  private static func checked(_ bytes: ArraySlice<UInt8>, at line: Int?) throws(CommandFailure) -> [UInt8] {
    // The end of a line that was written elsewhere.
    let bytes = bytes.last == UInt8(ascii: "\r") && line != nil ? Array(bytes.dropLast()) : Array(bytes)
    do throws(InstructionsError) {
      try InstructionsJSON.check(bytes)
      return bytes
    } catch {
      let place = line.map { "line \($0) of stdin: " } ?? ""
      let given = excerpt(String(decoding: bytes.prefix(1_000), as: UTF8.self))
      throw CommandFailure(.data, "\(place)\(error.message) (given: \(given))")
    }
  }

  private static func standardInput() throws(CommandFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(STDIN_FILENO, &part, part.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += part[..<count]
      } else if errno != EINTR {
        throw CommandFailure(.noInput, "cannot read stdin: \(String(cString: strerror(errno)))")
      }
    }
  }
}

/// Enough of a text to recognize it.
func excerpt(_ text: String) -> String {
  let shown = text.prefix(200).escapingControlCharacters
  return shown.count <= 60 ? shown : shown.prefix(57) + "..."
}
