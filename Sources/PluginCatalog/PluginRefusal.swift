/// Why a file is not taken as a plugin: one line that names the file, what is wrong and what to do.
public struct PluginRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// Not there, or not readable.
    case unreadable
    /// Somebody else could change the file or its folder.
    case untrusted
    /// Not a whole shared object for this machine.
    case malformed
    /// No CarbonTube plugin: no note, or no entry.
    case notAPlugin
    /// Another ABI or another Swift than this program's.
    case incompatible(have: String, want: String)
    /// The content-addressed copy could not be made.
    case staging
    /// The administrator's list of allowed plugins does not hold it.
    case notAllowed
    /// No child could be started to look at it.
    case scanning
  }

  public let kind: Kind
  public let file: String
  /// A clause without the file's name.
  public let reason: String

  public init(kind: Kind, file: String, reason: String) {
    self.kind = kind
    self.file = file
    self.reason = reason
  }

  public var description: String { "\(file) \(reason)" }
}
