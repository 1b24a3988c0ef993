import PipelineModel
import WireProtocol

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Makes messages of every kind whose fields are right, extreme or wrong, and some that are damaged.
struct MessageFuzzer {
  var generator: SeededGenerator
  /// Tokens and jobs that are really out, so that reports reach further than the look-up.
  var leases: [(token: UInt64, job: String)] = []

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  static let verbs = [
    "ping", "status", "totals", "metrics", "history", "job", "jobs", "count", "states", "await", "cancel", "requeue",
    "delete", "pause", "resume", "drain", "release", "action", "actions", "stop-action", "explode", "",
  ]
  private static let numbers: [UInt64] = [
    0, 1, 2, 127, 128, 1_000, 1_001, 4_096, 65_535, 1 << 31, 1 << 32, 1 << 53, (1 << 63) - 1, 1 << 63, .max - 1, .max,
  ]
  private static let signed: [Int64] = [
    .min, .min + 1, -1 << 53, -9, -8, -1, 0, 1, 7, 8, 1_800_000_000_000, 1 << 53, .max - 1, .max,
  ]
  private static let doubles: [Double] = [
    0, -0.0, 0.5, 1, 1.0000001, -1, 1e308, -1e308, .infinity, -.infinity, .nan, .leastNonzeroMagnitude,
  ]
  private static let jsonNumbers = [
    "0", "1", "-1", "60", "1440", "10081", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "1e308", "1e999", "0.5", "true", "null", "\"1\"", "[]", "{}",
  ]
  private static let members = [
    "id", "ids", "states", "phase", "error", "id_prefix", "cursor", "limit", "minutes", "step", "worker", "phse",
    "since_ms",
    "until_ms",
  ]

  private mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &generator)]
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

  private mutating func number() -> UInt64 {
    chance(60) ? pick(Self.numbers) : UInt64.random(in: 0...pick(Self.numbers), using: &generator)
  }

  private mutating func text() -> String {
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: ""
    case 1: String(repeating: "x", count: pick([1, 64, 65, 128, 129, 1_024, 1_025, 4_097]))
    case 2: pick(["\u{1b}[2J\n", "é\u{301}🙂", " ", "a b", "\0", "\"'\\;`$()"])
    case 3: "w\(Int.random(in: 0..<8, using: &generator))"
    case 4: "puppet"
    case 5: "test"
    default: "j\(Int.random(in: 0..<200, using: &generator))"
    }
  }

  private mutating func name() -> String { chance(85) ? "w\(Int.random(in: 0..<8, using: &generator))" : text() }

  private mutating func job() -> String { chance(85) ? "j\(Int.random(in: 0..<200, using: &generator))" : text() }

  private mutating func json() -> String {
    var pairs: [String] = []
    for _ in 0..<Int.random(in: 0...4, using: &generator) {
      let value =
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: pick(Self.jsonNumbers)
        case 1: #"["\#(pick(JobState.allCases).description)"]"#
        case 2: "[" + (0..<Int.random(in: 0..<5, using: &generator)).map { "\"j\($0)\"" }.joined(separator: ",") + "]"
        default: "\"j\(Int.random(in: 0..<200, using: &generator))\""
        }
      pairs.append("\"\(pick(Self.members))\":\(value)")
    }
    return chance(95) ? "{\(pairs.joined(separator: ","))}" : pick(["", "[]", "{", "7", "null", "{\"id\":}"])
  }

  private mutating func payload() -> [UInt8] {
    chance(80)
      ? Array(#"{"do":"echo"}"#.utf8) : Array(pick(["", "{}", "[]", "x\u{78}", "NOT JSON", "{\"a\":1e999}"]).utf8)
  }

  /// For the intake.
  mutating func intakeMessage() -> [[UInt8]] {
    switch Int.random(in: 0..<10, using: &generator) {
    case 0...4: request()
    case 5, 6: enqueue()
    case 7, 8: results()
    default: began()
    }
  }

  private mutating func request() -> [[UInt8]] {
    var writer = HeaderWriter(.request)
    writer.put(number())
    writer.put(chance(80) ? "test" : text())
    writer.put(chance(95) ? pick(Self.verbs) : text())
    return damaged([writer.bytes, Array(json().utf8)])
  }

  private mutating func enqueue() -> [[UInt8]] {
    var writer = HeaderWriter(.enqueue)
    let count = Int.random(in: 0...3, using: &generator)
    writer.put(number())
    writer.put(chance(90) ? "test" : text())
    writer.put(chance(90) ? UInt64(count) : number())
    for _ in 0..<count {
      // Always of the same few names, so that the store does not grow by what is right.
      writer.put("j\(Int.random(in: 0..<200, using: &generator))")
      writer.put(signed: chance(70) ? Int64.random(in: -8...7, using: &generator) : pick(Self.signed))
      if chance(50) { writer.put(number()) } else { writer.put(signed: pick(Self.signed)) }
    }
    return damaged([writer.bytes] + (0..<count).map { _ in payload() })
  }

  private mutating func results() -> [[UInt8]] {
    var writer = HeaderWriter(.results)
    let count = Int.random(in: 0...2, using: &generator)
    var payloads: [[UInt8]] = []
    writer.put(name())
    writer.put("test")
    writer.put(chance(95) ? UInt64(count) : number())
    for _ in 0..<count {
      let lease = leases.isEmpty || chance(30) ? (token: number(), job: job()) : pick(leases)
      let hasPayload = chance(40)
      writer.put(lease.job)
      writer.put(lease.token)
      writer.put(byte: UInt8.random(in: 0...10, using: &generator))
      writer.put(signed: pick(Self.signed))
      writer.put(number())
      writer.put(byte: hasPayload ? 1 : 0)
      writer.put(number())
      writer.put(chance(90) ? "abc" : text())
      let hasError = chance(50)
      writer.put(byte: hasError ? 1 : 0)
      if hasError { for _ in 0..<4 { writer.put(text()) } }
      if hasPayload { payloads.append(payload()) }
    }
    return damaged([writer.bytes] + payloads)
  }

  private mutating func began() -> [[UInt8]] {
    var writer = HeaderWriter(.began)
    writer.put(name())
    let count = Int.random(in: 0...3, using: &generator)
    writer.put(chance(90) ? UInt64(count) : number())
    for _ in 0..<count { writer.put(leases.isEmpty || chance(50) ? number() : pick(leases).token) }
    return damaged([writer.bytes])
  }

  /// What workers say beside reports.
  mutating func wordOfWorker() -> [UInt8] {
    let frame =
      switch Int.random(in: 0..<5, using: &generator) {
      case 4: credit()
      case 0: hello()
      case 1: progress()
      case 2: log()
      default: goodbye()
      }
    return damaged([frame])[0]
  }

  private mutating func hello() -> [UInt8] {
    var writer = HeaderWriter(.hello)
    writer.put(name())
    writer.put(chance(80) ? 7 : number())
    writer.put(chance(80) ? 0 : number())
    writer.put(chance(80) ? "puppet" : text())
    writer.put(text())
    writer.put(number())
    writer.put(chance(50) ? 1 : number())
    writer.put(byte: UInt8.random(in: 0...5, using: &generator))
    writer.put(number())
    writer.put(number())
    writer.put(text())
    writer.put(text())
    let count = Int.random(in: 0...3, using: &generator)
    writer.put(chance(90) ? UInt64(count) : number())
    for _ in 0..<count { writer.put(leases.isEmpty || chance(50) ? number() : pick(leases).token) }
    writer.put(text())
    writer.put(byte: UInt8.random(in: 0...2, using: &generator))
    writer.put(number())
    writer.put(chance(50) ? 3 : number())
    return writer.bytes
  }

  private mutating func credit() -> [UInt8] {
    var writer = HeaderWriter(.credit)
    writer.put(name())
    writer.put(number())
    writer.put(chance(50) ? 3 : number())
    return writer.bytes
  }

  private mutating func progress() -> [UInt8] {
    var writer = HeaderWriter(.progress)
    let lease = leases.isEmpty || chance(30) ? (token: number(), job: job()) : pick(leases)
    writer.put(name())
    writer.put(lease.job)
    writer.put(lease.token)
    writer.put(pick(Self.doubles))
    writer.put(text())
    return writer.bytes
  }

  private mutating func log() -> [UInt8] {
    var writer = HeaderWriter(.log)
    writer.put(name())
    writer.put(chance(30) ? "" : job())
    writer.put(byte: UInt8.random(in: 0...5, using: &generator))
    writer.put(text())
    return writer.bytes
  }

  private mutating func goodbye() -> [UInt8] {
    var writer = HeaderWriter(.goodbye)
    writer.put(name())
    writer.put(text())
    return writer.bytes
  }

  /// One in five loses, gains or changes some bytes, or a frame.
  private mutating func damaged(_ frames: [[UInt8]]) -> [[UInt8]] {
    guard chance(20) else { return frames }
    var frames = frames
    let index = Int.random(in: 0..<frames.count, using: &generator)
    switch Int.random(in: 0..<5, using: &generator) {
    case 0 where !frames[index].isEmpty:
      frames[index][Int.random(in: 0..<frames[index].count, using: &generator)] = UInt8.random(
        in: 0...255, using: &generator)
    case 1: frames[index] = Array(frames[index].prefix(Int.random(in: 0...frames[index].count, using: &generator)))
    case 2: frames[index].append(UInt8.random(in: 0...255, using: &generator))
    case 3 where frames.count > 1: frames.remove(at: index)
    default: frames.append(frames[index])
    }
    return frames
  }
}
