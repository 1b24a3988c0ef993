/// How a phase says what becomes of a job that it could not do. Thrown from `execute`, with the place it was made at.
public struct PhaseError: Error, Sendable, CustomStringConvertible {
  enum Kind: Hashable, Sendable {
    case failed
    case permanent
    case retry(milliseconds: UInt64)
    case badInput
    case bug
  }

  let kind: Kind
  let type: String?
  public let message: String
  /// `file:line` in the author's code.
  public let location: String

  init(kind: Kind, type: String? = nil, message: String, location: String) {
    self.kind = kind
    self.type = type
    self.message = message
    self.location = location
  }

  /// Went wrong, and may go well the next time: tried again by the policy of the phase.
  /// - Parameters:
  ///   - message: a sentence for people.
  ///   - type: a short class for logs and pages, such as `FileMissing`.
  ///   - file: of the author's code.
  ///   - line: likewise.
  public static func failed(
    _ message: String, type: String? = nil, file: String = #fileID, line: Int = #line
  ) -> PhaseError {
    PhaseError(kind: .failed, type: type, message: message, location: "\(file):\(line)")
  }

  /// Will go wrong each time: not tried again.
  public static func permanent(
    _ message: String, type: String? = nil, file: String = #fileID, line: Int = #line
  ) -> PhaseError {
    PhaseError(kind: .permanent, type: type, message: message, location: "\(file):\(line)")
  }

  /// The instructions make no sense for this phase: not tried again.
  public static func badInput(
    _ message: String, type: String? = nil, file: String = #fileID, line: Int = #line
  ) -> PhaseError {
    PhaseError(kind: .badInput, type: type, message: message, location: "\(file):\(line)")
  }

  /// Cannot be done now, because something is busy or away: tried again, and not counted as a failure.
  /// - Parameters:
  ///   - message: a sentence for people.
  ///   - delay: nil leaves it to the policy of the phase.
  ///   - type: a short class for logs and pages.
  ///   - file: of the author's code.
  ///   - line: likewise.
  public static func retry(
    _ message: String, after delay: Duration? = nil, type: String? = nil, file: String = #fileID, line: Int = #line
  ) -> PhaseError {
    PhaseError(
      kind: .retry(milliseconds: delay?.wholeMilliseconds ?? 0), type: type, message: message,
      location: "\(file):\(line)")
  }

  public var description: String { message }
}

extension Duration {
  /// Rounded up; nothing below 0.
  fileprivate var wholeMilliseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return UInt64(min(seconds, Int64(1) << 40)) * 1_000
      + UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
