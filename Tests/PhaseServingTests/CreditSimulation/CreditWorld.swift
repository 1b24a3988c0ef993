import PipelineModel
import Testing

/// Coordinators and workers, what is between them, and the time, which goes on from one event to the next.
final class CreditWorld {
  enum Event {
    case toWorker(ToWorker, connection: Int)
    case toCoordinator(ToCoordinator, connection: Int)
    case connectionLost(worker: Int, coordinator: Int)
    case connects(worker: Int, coordinator: Int)
    case runEnds(worker: Int, slot: Int, run: Int)
    case slotComesBack(worker: Int, slot: Int)
    case workerLooks(Int)
    case coordinatorTicks(Int)
    case coordinatorWakes(Int)
    case coordinatorStarts(Int)
    case storeAnswers(Int, run: Int)
    case jobsArrive(Int)
    case trouble
  }

  struct Shape {
    var slots: [Int]
    /// Of the jobs of each coordinator, in microseconds.
    var durations: [Int64]
    var seed: UInt64
  }

  let shape: Shape
  private(set) var now: Int64 = 0
  private(set) var steps = 0
  private(set) var failures: [String] = []
  var numbers: SeededNumbers
  private(set) var workers: [SimulatedWorker] = []
  private(set) var coordinators: [SimulatedCoordinator] = []
  private var connections: [Connection] = []
  private var agenda = Agenda<Event>()
  /// Cuts, delays, repeats, crashes and the like.
  var isTroubled = false
  /// Jobs that arrive at each coordinator in a second; nil: none.
  var arrivals: [Double?]
  var waits: IdleWaits?

  init(_ shape: Shape) throws {
    self.shape = shape
    numbers = SeededNumbers(seed: shape.seed)
    arrivals = shape.durations.map { _ in nil }
    for number in shape.durations.indices { coordinators.append(try SimulatedCoordinator(number, in: self)) }
    for (number, slots) in shape.slots.enumerated() {
      workers.append(try SimulatedWorker(number, slots: slots, coordinators: shape.durations.count, in: self))
    }
    for number in coordinators.indices { plan(.coordinatorTicks(number), at: random(0...100_000)) }
    for worker in workers.indices {
      plan(.workerLooks(worker), at: random(0...100_000))
      for coordinator in coordinators.indices {
        plan(.connects(worker: worker, coordinator: coordinator), at: random(0...300_000))
      }
    }
    plan(.trouble, at: 0)
  }

  var instant: Instant { Instant(milliseconds: now / 1_000) }

  func random(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &numbers) }

  func duration(of coordinator: Int) -> Int64 {
    let mean = shape.durations[coordinator]
    return random(mean * 4 / 5...mean * 6 / 5)
  }

  func plan(_ event: Event, at: Int64) { agenda.plan(event, at: max(at, now)) }

  func check(_ isRight: Bool, _ message: @autoclosure () -> String) {
    guard !isRight, failures.count < 5 else { return }
    failures.append("seed \(shape.seed), step \(steps), \(now / 1_000) ms: \(message())")
  }

  // MARK: - Going on

  func run(milliseconds: Int64) {
    let end = now + milliseconds * 1_000
    while now < end, failures.isEmpty { takeStep() }
  }

  func run(steps count: Int) {
    let end = steps + count
    while steps < end, failures.isEmpty { takeStep() }
  }

  /// Time of slots that each coordinator's jobs took in the next while, as parts of all there is.
  func parts(milliseconds: Int64) -> [Double] {
    let before = used
    run(milliseconds: milliseconds)
    let all = Double(milliseconds * 1_000) * Double(workers.reduce(0) { $0 + $1.ableSlots })
    return zip(used, before).map { Double($0 - $1) / all }
  }

  private var used: [Int64] {
    coordinators.indices.map { number in workers.reduce(0) { $0 + $1.used[number] } }
  }

  private func takeStep() {
    guard let next = agenda.next() else { return }
    now = next.at
    steps += 1
    follow(next.what)
    waits?.look(self)
  }

  private func follow(_ event: Event) {
    switch event {
    case .toWorker(let message, let connection):
      let link = connections[connection]
      if link.isAlive { workers[link.worker].receive(message, by: link.coordinator) }
    case .toCoordinator(let message, let connection):
      if case .ended = message {
        coordinators[connections[connection].coordinator].receive(message, by: connection)
      } else if connections[connection].isAlive {
        coordinators[connections[connection].coordinator].receive(message, by: connection)
      }
    case .connectionLost(let worker, let coordinator): cut(worker, coordinator)
    case .connects(let worker, let coordinator): connect(worker, coordinator)
    case .runEnds(let worker, let slot, let run): workers[worker].runEnds(slot: slot, run: run)
    case .slotComesBack(let worker, let slot): workers[worker].slot(slot, becomesAble: true)
    case .workerLooks(let worker):
      workers[worker].lookAround()
      plan(.workerLooks(worker), at: now + 100_000)
    case .coordinatorTicks(let number):
      coordinators[number].wake()
      plan(.coordinatorTicks(number), at: now + 100_000)
    case .coordinatorWakes(let number): coordinators[number].wake()
    case .coordinatorStarts(let number): restart(number)
    case .storeAnswers(let number, let run): coordinators[number].storeAnswers(run: run)
    case .jobsArrive(let number): bringJobs(to: number)
    case .trouble: makeTrouble()
    }
  }

  // MARK: - Connections

  private func connect(_ worker: Int, _ coordinator: Int) {
    guard workers[worker].links[coordinator].connection == nil else { return }
    guard !coordinators[coordinator].isDown else {
      return plan(.connects(worker: worker, coordinator: coordinator), at: now + 100_000)
    }
    connections.append(Connection(worker: worker, coordinator: coordinator))
    workers[worker].connected(coordinator, by: connections.count - 1)
  }

  func cut(_ worker: Int, _ coordinator: Int) {
    guard let connection = workers[worker].links[coordinator].connection else { return }
    connections[connection].isAlive = false
    plan(.toCoordinator(.ended, connection: connection), at: now + random(0...150_000))
    workers[worker].connected(coordinator, by: nil)
    plan(.connects(worker: worker, coordinator: coordinator), at: now + random(1_000...400_000))
  }

  func send(_ message: ToWorker, by connection: Int) {
    guard connections[connection].isAlive else { return }
    let at = max(connections[connection].lastToWorker, now + delay)
    connections[connection].lastToWorker = at
    plan(.toWorker(message, connection: connection), at: at)
    if isTroubled, message.isRepeatable, numbers.happens(oneIn: 10) {
      plan(.toWorker(message, connection: connection), at: at + random(0...50_000))
    }
  }

  func send(_ message: ToCoordinator, by connection: Int) {
    guard connections[connection].isAlive else { return }
    let at = max(connections[connection].lastToCoordinator, now + delay)
    connections[connection].lastToCoordinator = at
    plan(.toCoordinator(message, connection: connection), at: at)
    if isTroubled, message.isRepeatable, numbers.happens(oneIn: 10) {
      plan(.toCoordinator(message, connection: connection), at: at + random(0...50_000))
    }
  }

  private var delay: Int64 {
    guard isTroubled, numbers.happens(oneIn: 500) else { return random(100...1_500) }
    return random(10_000...2_500_000)
  }

  // MARK: - Work and trouble

  func hang(_ coordinator: Int, milliseconds: Int64) {
    coordinators[coordinator].hang(until: now + milliseconds * 1_000)
  }

  func stop(_ coordinator: Int, milliseconds: Int64) {
    guard !coordinators[coordinator].isDown else { return }
    coordinators[coordinator].stop()
    for worker in workers.indices { cut(worker, coordinator) }
    plan(.coordinatorStarts(coordinator), at: now + milliseconds * 1_000)
  }

  private func restart(_ coordinator: Int) { if coordinators[coordinator].isDown { coordinators[coordinator].start() } }

  func breakSlot(_ slot: Int, of worker: Int, milliseconds: Int64) {
    guard workers[worker].slots[slot].isAble else { return }
    workers[worker].slot(slot, becomesAble: false)
    plan(.slotComesBack(worker: worker, slot: slot), at: now + milliseconds * 1_000)
  }

  /// - Parameter perSecond: nil ends it.
  func bring(_ perSecond: Double?, to coordinator: Int) {
    let isRunning = arrivals[coordinator] != nil
    arrivals[coordinator] = perSecond
    if !isRunning, perSecond != nil { plan(.jobsArrive(coordinator), at: now) }
  }

  private func bringJobs(to coordinator: Int) {
    guard let rate = arrivals[coordinator] else { return }
    coordinators[coordinator].add(1)
    plan(.jobsArrive(coordinator), at: now + random(0...Int64(2_000_000 / rate)))
  }

  private func makeTrouble() {
    plan(.trouble, at: now + random(0...100_000))
    guard isTroubled else { return }
    let (worker, coordinator) = (
      workers.indices.randomElement(using: &numbers) ?? 0, coordinators.indices.randomElement(using: &numbers) ?? 0
    )
    switch random(0...19) {
    case 0...5: cut(worker, coordinator)
    case 6: stop(coordinator, milliseconds: random(100...3_000))
    case 7...8: hang(coordinator, milliseconds: random(50...4_000))
    case 9...13:
      breakSlot(
        workers[worker].slots.indices.randomElement(using: &numbers) ?? 0, of: worker,
        milliseconds: random(10...2_000))
    case 14...15: coordinators[coordinator].isInsatiable.toggle()
    case 16: coordinators[coordinator].forgetQueue()
    case 17: coordinators[coordinator].add(Int(random(1...50)))
    default: bring(Bool.random(using: &numbers) ? Double(random(1...200)) : nil, to: coordinator)
    }
  }
}
