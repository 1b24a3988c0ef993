/// Why a store did not do what it was asked.
///
/// After any error of `apply` the caller does not know what was written. It must `open` the store again and compare
/// `runningJobs()` with what it believes; enqueues with the same id and outcome writes with the same token may be
/// repeated without harm.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// Not reachable, or did not answer in time. Try again later.
    case unavailable
    /// Reachable, but refuses writes: disk full, out of memory, read-only replica, still loading. Try again later.
    case refusesWrites
    /// Another live coordinator owns this pipeline in this store.
    case ownedByAnother
    /// Written by a later version of the product.
    case newerSchema
    /// Unfinished jobs stand in phases that the new definition does not have.
    case definitionChanged
    /// The address or the credentials are wrong. Trying again will not help.
    case misconfigured
    /// What is stored cannot be read back.
    case corrupt
    /// A page was asked for by a cursor that no page gave. Says nothing about the store.
    case badCursor
  }

  public let kind: Kind
  /// The store's call that failed, e.g. `apply`.
  public let operation: String
  /// One line for people: names the store, what is wrong and what to do.
  public let message: String

  public init(_ kind: Kind, operation: String, message: String) {
    self.kind = kind
    self.operation = operation
    self.message = message
  }

  public var description: String { message }

  /// Whether the same call may work later without anybody changing the configuration.
  public var isTransient: Bool { kind == .unavailable || kind == .refusesWrites }
}
