import Foundation
import PluginTestKit

/// A real process of the build, in a folder of its own.
final class Program {
  struct End {
    var status: Int32
    var output: String
    var complaint: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  let process = Process()
  private let output = Transcript()
  private let complaint = Transcript()

  /// - Parameter executable: a program of the build, or an absolute path.
  init(
    _ executable: String = "carbontube", _ arguments: [String], in folder: String,
    environment: [String: String] = [:], input: String? = nil
  ) throws {
    process.executableURL = URL(
      fileURLWithPath: executable.hasPrefix("/") ? executable : "\(buildFolder)/\(executable)")
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
    process.standardOutput = output.pipe
    process.standardError = complaint.pipe
    if let input {
      let file = "\(folder)/input-\(UInt32.random(in: 0 ... .max))"
      try Data(input.utf8).write(to: URL(fileURLWithPath: file))
      process.standardInput = FileHandle(forReadingAtPath: file)
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try process.run()
    output.start()
    complaint.start()
  }

  deinit {
    if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
  }

  var processID: Int32 { process.processIdentifier }
  var complaints: String { complaint.text }

  func send(_ signal: Int32) { Foundation.kill(processID, signal) }

  /// The first line of stdout or stderr that holds `part`; waits for it.
  func line(holding part: String) throws -> String {
    if let line = output.line(holding: part) { return line }
    throw Unexpected("no line with '\(part)'; stdout: \(output.text) stderr: \(complaint.text)")
  }

  func complaint(holding part: String) throws -> String {
    if let line = complaint.line(holding: part) { return line }
    throw Unexpected("no line with '\(part)' on stderr: \(complaint.text)")
  }

  /// Waits for the end.
  func end(withinSeconds seconds: Double = 120) throws -> End {
    let deadline = Date() + seconds
    guard let output = output.whole(until: deadline), let complaint = complaint.whole(until: deadline) else {
      throw Unexpected("\(process.arguments ?? []) did not end: \(output.text) \(complaint.text)")
    }
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return End(status: status, output: output, complaint: complaint)
  }

  func killAndWait() throws {
    send(SIGKILL)
    _ = try end()
  }

  /// A command that ends by itself.
  static func run(
    _ arguments: [String], in folder: String, environment: [String: String] = [:], input: String? = nil
  ) throws -> End {
    try Program("carbontube", arguments, in: folder, environment: environment, input: input).end()
  }
}

/// What a process has written so far.
private final class Transcript: @unchecked Sendable {
  let pipe = Pipe()
  private let condition = NSCondition()
  private var bytes = Data()
  private var isOver = false

  func start() {
    // A thread, since a read that waits must not hold up others.
    let thread = Thread { [self] in
      while case let data = pipe.fileHandleForReading.availableData, !data.isEmpty {
        note { bytes.append(data) }
      }
      note { isOver = true }
    }
    thread.start()
  }

  private func note(_ change: () -> Void) {
    condition.lock()
    change()
    condition.broadcast()
    condition.unlock()
  }

  var text: String {
    condition.lock()
    defer { condition.unlock() }
    return String(decoding: bytes, as: UTF8.self)
  }

  func line(holding part: String) -> String? {
    let deadline = Date() + 60
    condition.lock()
    defer { condition.unlock() }
    while true {
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      if let line = lines.dropLast(isOver ? 0 : 1).first(where: { $0.contains(part) }) { return String(line) }
      guard !isOver, condition.wait(until: deadline) else { return nil }
    }
  }

  func whole(until deadline: Date) -> String? {
    condition.lock()
    defer { condition.unlock() }
    while !isOver {
      guard condition.wait(until: deadline) else { return nil }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
