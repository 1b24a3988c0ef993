internal import Glibc
internal import PipelineModel

/// The ids of a process's services. A process that serves one phase is known by its name alone. One that serves a folder has a
/// service for each job type, whose id is `NAME/TYPE`: so they are seen to belong together, and are drained together by the
/// name. A build that takes the place of another of its type is `NAME/TYPE/2`, and so on: both are there until the former one
/// has ended, and an id that stood for two would have its jobs taken for the other's. The number comes last, for what is said
/// of `NAME/TYPE` is meant for whichever build serves it.
struct WorkerName {
  private let text: String
  private var served: [String: Int] = [:]

  /// - Parameter given: nil: made from the host's name, the process and a random number.
  init(_ given: WorkerID?) { text = given?.text ?? Self.made() }

  /// Of the only service; nil where the machine's name cannot be part of an id.
  var ofOnlyService: WorkerID? { WorkerID(text) }

  /// Of the next service of a job type; nil where the name cannot be part of an id, or is too long for one.
  mutating func next(of jobType: String) -> WorkerID? {
    let number = served[jobType, default: 0] + 1
    served[jobType] = number
    return WorkerID(number == 1 ? "\(text)/\(jobType)" : "\(text)/\(jobType)/\(number)")
  }

  static func ofThisMachine() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Leaves room for the longest job type. A slash would look like the end of the name.
  private static func made() -> String {
    let machine = ofThisMachine().utf8.prefix(40).map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "-") : $0 }
    let random = String(UInt32.random(in: 0 ... .max), radix: 36)
    return "\(String(decoding: machine, as: UTF8.self))-\(getpid())-\(random)"
  }
}
