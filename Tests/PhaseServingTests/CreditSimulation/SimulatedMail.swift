import PipelineModel
import WireProtocol

enum ToCoordinator {
  case hello(Hello)
  case credit(CreditMessage)
  case reports([SimulatedReport])
  /// The connection has ended, as its monitor tells.
  case ended

  /// These may come twice, the second time behind later ones, without harm.
  var isRepeatable: Bool {
    switch self {
    case .credit, .hello: true
    case .reports, .ended: false
    }
  }
}

enum ToWorker {
  case welcome(run: Int)
  case demand(Demand)
  case jobs([LeaseToken], credit: UInt64)
  case recall([LeaseToken])
  case cancel([LeaseToken])
  case acknowledgement([LeaseToken])

  var isRepeatable: Bool {
    switch self {
    case .demand: true
    case .welcome, .jobs, .recall, .cancel, .acknowledgement: false
    }
  }
}

struct SimulatedReport {
  let token: LeaseToken
  let isHandedBack: Bool
  let microseconds: Int64
}

/// One connection between a worker and a coordinator: in order in each direction, and all that is on its way is lost when
/// it ends.
struct Connection {
  let worker: Int
  let coordinator: Int
  var isAlive = true
  /// When the message before arrives; those behind it come no sooner.
  var lastToWorker: Int64 = 0
  var lastToCoordinator: Int64 = 0
}
