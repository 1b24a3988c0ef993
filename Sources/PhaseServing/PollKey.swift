/// What a loop's poller calls what it watches: each kind has keys of its own, however many come and go.
enum PollKey: Equatable {
  case wake
  case meeting(Int)
  /// The socket of a connection, and its monitor.
  case connection(Int)
  /// One of the descriptors of a service's child.
  case child(service: Int, slot: Int)

  private static let slots = 1 << 12

  var code: Int {
    switch self {
    case .wake: 0
    case .meeting(let index): index << 2 | 1
    // Two sockets need two keys.
    case .connection(let number): number << 3 | 2
    case .child(let service, let slot): (service * Self.slots + slot) << 3 | 3
    }
  }

  /// Of the second thing that has this key.
  var secondCode: Int { code | 4 }

  init(code: Int) {
    switch code & 3 {
    case 0: self = .wake
    case 1: self = .meeting(code >> 2)
    case 2: self = .connection(code >> 3)
    default: self = .child(service: (code >> 3) / Self.slots, slot: (code >> 3) % Self.slots)
    }
  }
}
