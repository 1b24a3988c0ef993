import Glibc
import HostProtocol
import Testing

private let shortTexts = ["", "a", "ü€🂡", "\0\u{1b}[2J\n", "\u{fffd}"]
private let longText = String(repeating: "x", count: 9_000)

/// Seeded, so that a failure can be made again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func number<Number: FixedWidthInteger>() -> Number {
    let extremes: [Number] = [.min, .max, 0, 1, .max - 1, .min + 1, Number(truncatingIfNeeded: next())]
    return extremes[Int(next() % UInt64(extremes.count))]
  }

  mutating func text() -> String {
    // The long one seldom, or nothing else would be done.
    let index = Int(next() % 256)
    return index == 0 ? longText : shortTexts[index % shortTexts.count]
  }

  mutating func bytes() -> [UInt8] { Array(text().utf8) + (next() % 4 == 0 ? [0xff, 0x00, 0xc3] : []) }
  mutating func maybe<Value>(_ value: (inout SplitMix) -> Value) -> Value? { next() % 3 == 0 ? nil : value(&self) }
  mutating func list<Value>(_ value: (inout SplitMix) -> Value) -> [Value] {
    (0..<next() % 4).map { _ in value(&self) }
  }
  mutating func flag() -> Bool { next() % 2 == 0 }
}

// MARK: - Every frame with every field

extension SplitMix {
  mutating func result() -> HostResult {
    let status = HostStatus.allCases[Int(next() % UInt64(HostStatus.allCases.count))]
    let error = HostError(message: text(), type: text(), location: text(), code: number())
    return HostResult(
      status: status, output: maybe { $0.bytes() }, error: status == .ok ? nil : error,
      retryAfterMilliseconds: maybe { $0.number() })
  }

  mutating func library() -> LibraryDescription {
    LibraryDescription(
      abiMajor: number(), abiMinor: number(), id: text(), version: text(), summary: text(), build: text(),
      phases: list {
        PhaseDescription(
          jobType: $0.text(), version: $0.text(), summary: $0.text(), inputSchema: $0.maybe { $0.text() },
          outputSchema: $0.maybe { $0.text() }, isDeterministic: $0.flag(), isIdempotent: $0.flag())
      },
      pipelines: list {
        PipelineDescription(
          name: $0.text(), version: $0.text(), summary: $0.text(), definition: $0.text(), hasHooks: $0.flag())
      })
  }

  mutating func fraction() -> Double { [0, 1, 0.5, .leastNonzeroMagnitude][Int(next() % 4)] }

  mutating func report() -> HostReport {
    switch next() % 8 {
    case 0: return .ready(library())
    case 1:
      let kind = HostRefusal.Kind.allCases[Int(next() % UInt64(HostRefusal.Kind.allCases.count))]
      return .refused(HostRefusal(kind: kind, message: text(), available: list { $0.text() }))
    case 2:
      return .log(
        token: number(), level: HostLogLevel.allCases[Int(next() % 4)], message: text(),
        fields: list { HostLogField(name: "f\($0.next() % 9)", value: $0.text()) })
    case 6: return .measured(token: number(), list { HostMeasure(kind: .gauge, name: "m", value: $0.fraction()) })
    case 3: return .progress(token: number(), fraction: fraction(), note: text())
    case 4: return .finished(token: number(), result(), nanoseconds: number())
    case 5: return .setting(token: number(), name: text(), value: text())
    default: return .hookFinished(token: number(), result())
    }
  }

  mutating func request() -> HostRequest {
    switch next() % 6 {
    case 0:
      return .job(
        HostJob(
          token: number(), jobID: text(), pipeline: text(), attempt: number(), deadlineUnixMilliseconds: number(),
          instructions: bytes()))
    case 1: return .hook(HostHookCall(token: number(), hook: .initialize))
    case 2: return .hook(HostHookCall(token: number(), hook: .started))
    case 3: return .hook(HostHookCall(token: number(), hook: .finished))
    case 4: return .setup(HostSetup(environment: [text() + "1": text(), text() + "2": text()], settings: bytes()))
    default:
      let hook = HostHook.finishedJob(jobID: text(), pipeline: text(), state: text(), instructions: bytes())
      return .hook(HostHookCall(token: number(), hook: hook))
    }
  }

  mutating func control() -> HostControl { flag() ? .stop : .cancel(token: number()) }

  /// A frame's body with one or a few places changed: extreme numbers of each width, lengths among them, cuts, additions.
  mutating func spoilt(_ body: [UInt8]) -> [UInt8] {
    var body = body
    for _ in 0...(next() % 3) {
      let place = body.isEmpty ? 0 : Int(next() % UInt64(min(body.count, 256)))
      switch next() % 8 {
      case 0: body.removeSubrange(place...)
      case 1: body.insert(contentsOf: [UInt8](repeating: UInt8(next() & 0xff), count: Int(next() % 9)), at: place)
      case 2 where place < body.count: body[place] ^= 1 << UInt8(next() % 8)
      default:
        let width = [1, 2, 4, 8][Int(next() % 4)]
        let nan: UInt64 = [0x7ff8 << 48, 0x7ff0 << 48, 0xfff0 << 48, 0x8000 << 48][Int(next() % 4)]
        let value: UInt64 = [0, 1, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max, nan, next()][Int(next() % 7)]
        for index in 0..<width where place + index < body.count {
          body[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (8 - width + index)))
        }
      }
    }
    return body
  }
}

private let messages = getenv("CARBONTUBE_FUZZ_MESSAGES").flatMap { Int(String(cString: $0)) } ?? 20_000

private func residentMiB() throws -> Int {
  let file = try #require(fopen("/proc/self/statm", "re"))
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  try #require(fgets(&line, 128, file) != nil)
  let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
    separator: " ")
  return try #require(Int(fields[1])) * Int(sysconf(Int32(_SC_PAGESIZE))) >> 20
}

/// Every field of every frame, in both directions, at its extremes and spoilt. `CARBONTUBE_FUZZ_MESSAGES` says how many.
@Suite struct FrameFuzzTests {
  @Test(arguments: [1, 2] as [UInt64]) func nothingTrapsAndWhatIsReadIsWhatWasMeant(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    var taken = 0
    var refused = 0
    let before = try residentMiB()
    for _ in 0..<messages / 6 {
      let (report, request, control) = (random.report(), random.request(), random.control())
      #expect(try HostReport(frame: report.encoded()[4...]) == report)
      #expect(try HostRequest(frame: request.encoded()[4...]) == request)
      #expect(try HostControl(frame: control.encoded()[4...]) == control)
      for frame in [report.encoded(), request.encoded(), control.encoded()] {
        let body = random.spoilt(Array(frame[4...]))
        let again = [
          (try? HostReport(frame: body[...]))?.encoded(), (try? HostRequest(frame: body[...]))?.encoded(),
          (try? HostControl(frame: body[...]))?.encoded(),
        ].compactMap { $0 }
        for bytes in again where bytes[4...] != body[...] { Issue.record("\(body) was read as \(bytes)") }
        if again.isEmpty { refused += 1 } else { taken += 1 }
      }
    }
    #expect(taken > 0 && refused > 0)
    #expect(try residentMiB() - before < 128)
  }

  /// What arrives in a child or a parent arrives as a stream, cut anywhere and with lengths of its own.
  @Test func streamsOfSpoiltFramesEndInWordsAndHoldNoMoreThanTheirLimit() {
    var random = SplitMix(state: 3)
    var broken = 0
    for _ in 0..<messages / 100 {
      var buffer = FrameBuffer(limit: 1 << 17)
      var stream: [UInt8] = []
      for _ in 0..<8 { stream += random.report().encoded() }
      let spoilt = random.flag() ? random.spoilt(stream) : stream
      var position = 0
      do {
        while position < spoilt.count {
          let size = min(Int(1 + random.next() % 4_096), spoilt.count - position)
          spoilt[position..<position + size].withUnsafeBytes { buffer.append($0) }
          position += size
          while let frame = try buffer.next() { #expect(frame.count <= 1 << 17) }
        }
      } catch {
        broken += 1
      }
    }
    #expect(broken > 0)
  }
}
