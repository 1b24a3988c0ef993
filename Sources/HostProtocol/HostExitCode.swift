/// Codes of children that end by themselves. The parent goes by what they report; people, and a parent that got no
/// report, by these.
public enum HostExitCode {
  public static let done: Int32 = 0
  public static let refused: Int32 = 3
  public static let misused: Int32 = 64
  /// A channel to the parent does not work although the parent is there. Far from what programs usually end with.
  public static let channelBroken: Int32 = 213
}
