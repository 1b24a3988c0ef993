/// The name of a job: chosen by the client (then enqueueing the same name twice makes one job) or made by the
/// coordinator. 1 to 128 printable ASCII characters without spaces.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
  public static let maximumLength = 128
  public let text: String

  /// Nil where `text` breaks the rule above.
  public init?(_ text: String) {
    guard isPlainName(text, maximumLength: Self.maximumLength) else { return nil }
    self.text = text
  }

  public var description: String { text }
}

/// The name of one worker; unique for its life. The rule of `JobID` applies. A process with a worker for each of several job
/// types gives them ids that begin alike: `NAME/TYPE`, and `NAME/TYPE/2` for a build that takes the place of the first.
public struct WorkerID: Hashable, Sendable, CustomStringConvertible {
  public let text: String

  public init?(_ text: String) {
    guard isPlainName(text, maximumLength: 128) else { return nil }
    self.text = text
  }

  public var description: String { text }

  /// `name` is this id, or all of it before one of its slashes.
  public func isNamed(by name: String) -> Bool {
    text == name || (!name.isEmpty && text.hasPrefix(name + "/"))
  }
}

/// Names one attempt. The store issues it when a job is claimed, each larger than any before, and refuses any later
/// write about the job that carries another one (a fencing token).
public struct LeaseToken: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let number: UInt64
  public init(_ number: UInt64) { self.number = number }
  public static func < (left: LeaseToken, right: LeaseToken) -> Bool { left.number < right.number }
  public var description: String { String(number) }
}

/// True for names that travel unescaped through keys, logs, addresses and shells' eyes.
public func isPlainName(_ text: String, maximumLength: Int) -> Bool {
  let bytes = text.utf8
  guard !bytes.isEmpty, bytes.count <= maximumLength else { return false }
  // In one piece where they are: the view of a text goes through it character by character.
  return bytes.withContiguousStorageIfAvailable { $0.allSatisfy(isPrintable) } ?? bytes.allSatisfy(isPrintable)
}

private func isPrintable(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

/// True for a `job_type` or a pipeline's name: lower-case letters, digits, `-`, `_` and `.`, starting with a letter
/// or digit, at most 64 characters.
public func isRoleName(_ text: String) -> Bool {
  guard isPlainName(text, maximumLength: 64), let first = text.utf8.first else { return false }
  func isWordByte(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) }
  return isWordByte(first) && text.utf8.allSatisfy { isWordByte($0) || $0 == 0x2d || $0 == 0x5f || $0 == 0x2e }
}
