/// What a coordinator subscribes to where workers publish, so that they find it: nothing is ever published under it. A
/// worker's XPUB socket hands the subscription up, through any number of forwarders.
public enum MeetingTopic {
  private static let start: [UInt8] = Array("CTA".utf8) + [Prologue.version]
  public static let maximumAddressBytes = 1_024

  /// - Parameter address: of the coordinator's ROUTER socket. A wildcard host stands for the one that the worker
  ///   connected to.
  public static func topic(for address: String) -> [UInt8] { start + Array(address.utf8) }

  /// What an XPUB socket handed up.
  public enum Subscription: Hashable, Sendable {
    case begun(address: String)
    case ended(address: String)
    /// Somebody subscribed as coordinators of protocol 1 do.
    case olderProtocol
  }

  /// - Returns: nil for what is no coordinator's subscription.
  public static func subscription(in frame: [UInt8]) -> Subscription? {
    guard let first = frame.first, first <= 1 else { return nil }
    let topic = frame.dropFirst()
    if topic.elementsEqual([0x43, 0x54, 1]) { return first == 1 ? .olderProtocol : nil }
    guard topic.starts(with: start), topic.count <= start.count + maximumAddressBytes,
      let address = String(validating: topic.dropFirst(start.count), as: UTF8.self),
      addressProblem(replacingWildcardHost(in: address, with: "localhost"), binding: false) == nil
    else { return nil }
    return first == 1 ? .begun(address: address) : .ended(address: address)
  }

  /// What events of protocol 1 begin with: a coordinator hears them only to say that their sender must be upgraded.
  public static let olderEvents: [UInt8] = [0x43, 0x54, 1]
}
