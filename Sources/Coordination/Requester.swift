/// Somebody who asked, and is to be answered once.
struct Requester: Hashable {
  var route: [UInt8]
  /// The number that the peer gave its request.
  var request: UInt64
}
