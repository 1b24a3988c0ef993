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

  /// Those of one job: the word itself, `@FILE` or, for stdin, `-`.
  /// - Throws: where they are none, naming where they came from.
  static func one(_ word: String) throws(CommandFailure) -> [UInt8] {
    let bytes: [UInt8]
    let place: String
    if word == "-" {
      (bytes, place) = (try standardInput(), "stdin: ")
    } else if word.hasPrefix("@") {
      let path = String(word.dropFirst())
      (bytes, place) = (try contents(of: path), "\(path): ")
    } else {
      return try checked(Array(word.utf8)[...], at: nil)
    }
    guard bytes.count <= InstructionsJSON.maximumBytes else {
      throw CommandFailure(
        .data, "\(place)instructions are larger than the limit of \(InstructionsJSON.maximumBytes) bytes")
    }
    do throws(InstructionsError) {
      try InstructionsJSON.check(bytes)
      return bytes
    } catch {
      throw CommandFailure(.data, place + error.message)
    }
  }

  private static func contents(of path: String) throws(CommandFailure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandFailure(.noInput, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    return try bytes(from: descriptor, named: path)
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
    try bytes(from: STDIN_FILENO, named: "stdin")
  }

  private static func bytes(from descriptor: Int32, named name: String) throws(CommandFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &part, part.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += part[..<count]
      } else if errno != EINTR {
        throw CommandFailure(.noInput, "cannot read \(name): \(String(cString: strerror(errno)))")
      }
    }
  }
}

/// Enough of a text to recognize it.
func excerpt(_ text: String) -> String {
  let shown = text.prefix(200).escapingControlCharacters
  return shown.count <= 60 ? shown : shown.prefix(57) + "..."
}
