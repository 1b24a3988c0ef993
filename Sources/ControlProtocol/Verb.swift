/// What a coordinator can be asked for: one question with its arguments, its answer and whoever may ask it. Server, client,
/// commands and tests know a verb by its type; docs/wire-protocol.md has the same as text.
public protocol Verb: Sendable {
  associatedtype Arguments: VerbArguments
  associatedtype Answer: Codable & Sendable

  /// As on the wire.
  static var name: String { get }

  /// Who may ask. There is no default, so that no verb is open to everybody by oversight.
  static var role: Role { get }

  /// What an answer that does not come leaves in doubt.
  static var effect: VerbEffect { get }

  /// The longest arguments, as JSON. Reading them is work of the coordinator's loop.
  static var maximumArgumentBytes: Int { get }

  /// Whether instructions of a job may follow the arguments.
  static var takesInstructions: Bool { get }
}

extension Verb {
  public static var maximumArgumentBytes: Int { 16 << 10 }
  public static var takesInstructions: Bool { false }
}

/// What is other than before once a verb was carried out.
public enum VerbEffect: Hashable, Sendable {
  /// Nothing.
  case looks
  /// What is named, so nothing named may mean everything by mistake.
  case changes
}

/// The arguments of a verb: one JSON object.
public protocol VerbArguments: Codable, Hashable, Sendable {
  /// Names of all members as on the wire. Any other is refused.
  static var members: [String] { get }
}

/// Of verbs that need none.
public struct NoArguments: VerbArguments {
  public static let members: [String] = []

  public init() {}
}

/// Arguments that are an object of the verb's members, but none that it can be carried out with.
public struct VerbArgumentsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One line for people.
  public let message: String
  public var description: String { message }

  init(_ message: String) { self.message = message }
}

extension KeyedDecodingContainer {
  /// What is not there, or null, names nothing, which whoever carries the verb out says best.
  func textIfNamed(_ key: Key) throws -> String { try decodeIfPresent(String.self, forKey: key) ?? "" }
}
