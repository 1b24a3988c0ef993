internal import HostProtocol

/// A file of `NAME=VALUE` lines, as `docker run --env-file` and systemd's EnvironmentFile have them:
///
/// - Empty lines, and those whose first character is `#`, mean nothing. `export` may stand before a name.
/// - A value goes to the end of its line, with the blanks around it taken off; a `#` in it is part of it.
/// - A value in '…' is taken as it is between the quotes; in "…" `\n`, `\t`, `\"`, `\\` and `\$` are read.
struct EnvironmentFile {
  private(set) var variables: [(name: String, value: String)] = []

  /// - Parameter name: of the file, for errors.
  init(parsing bytes: [UInt8], named name: String) throws(CommandFailure) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure(.data, "\(name) is not UTF-8; write it as NAME=VALUE lines")
    }
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: Self.endsALine).enumerated() {
      do {
        if let variable = try Self.variable(in: line) { variables.append(variable) }
      } catch {
        // Not the line itself, which may hold a secret.
        throw CommandFailure(.data, "\(name), line \(index + 1): \(error.reason)")
      }
    }
  }

  private static func endsALine(_ character: Character) -> Bool { character == "\n" || character == "\r\n" }

  private struct Malformed: Error {
    var reason: String
  }

  private static func variable(in line: Substring) throws(Malformed) -> (name: String, value: String)? {
    var rest = trimmed(line)
    guard let first = rest.first, first != "#" else { return nil }
    if rest.hasPrefix("export "), let equals = rest.firstIndex(of: "="), rest[..<equals].contains(" ") {
      rest = trimmed(rest.dropFirst(7))
    }
    guard let equals = rest.firstIndex(of: "=") else {
      throw Malformed(reason: "has no '='; write NAME=VALUE, or # before a comment")
    }
    let name = String(trimmed(rest[..<equals]))
    if let problem = environmentNameProblem(name) { throw Malformed(reason: problem) }
    let value = try self.value(trimmed(rest[rest.index(after: equals)...]))
    guard !value.utf8.contains(0) else { throw Malformed(reason: "the value of \(name) holds a NUL") }
    return (name, value)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  private static func value(_ text: Substring) throws(Malformed) -> String {
    guard let quote = text.first, quote == "'" || quote == "\"" else { return String(text) }
    guard text.count >= 2, text.last == quote else {
      throw Malformed(reason: "a value begins with \(quote) and does not end so")
    }
    let inner = text.dropFirst().dropLast()
    if quote == "'" {
      guard !inner.contains("'") else { throw Malformed(reason: "a value in '…' has a ' in it; use \"…\"") }
      return String(inner)
    }
    return try unescaped(inner)
  }

  private static func unescaped(_ text: Substring) throws(Malformed) -> String {
    var value = ""
    var rest = text
    while let character = rest.popFirst() {
      guard character == "\\" else {
        guard character != "\"" else { throw Malformed(reason: "a value in \"…\" has a \" in it; write \\\"") }
        value.append(character)
        continue
      }
      switch rest.popFirst() {
      case "n": value.append("\n")
      case "t": value.append("\t")
      case let other? where "\"\\$`".contains(other): value.append(other)
      default: throw Malformed(reason: "a \\ in a value in \"…\" stands before n, t, \", \\ or $; for others use '…'")
      }
    }
    return value
  }
}
