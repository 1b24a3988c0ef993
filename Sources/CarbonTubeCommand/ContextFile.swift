internal import CarbonTube
internal import FoundationEssentials
internal import Glibc

/// The coordinators that this user has given names, and the one that is meant where nothing else says it.
struct ContextFile: Equatable {
  struct Context: Codable, Equatable {
    var address: String
  }

  var contexts: [String: Context] = [:]
  var current: String?

  static let variable = "CARBONTUBE_CONFIG"
  private static let maximumBytes = 1 << 20

  /// - Throws: where `word` cannot be the name of a context.
  static func requireName(_ word: String) throws(CommandFailure) {
    let isPlain = word.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || "-_.".utf8.contains(byte)
    }
    guard isPlain, (1...64).contains(word.utf8.count) else {
      throw CommandFailure(
        .usage, "'\(excerpt(word))' is no name of a context: 1 to 64 letters, digits, '-', '_' and '.'")
    }
  }

  /// - Throws: where there is no such context.
  func address(of name: String, in path: String) throws(CommandFailure) -> String {
    guard let context = contexts[name] else {
      let known = contexts.isEmpty ? "it has none" : "it has \(contexts.keys.sorted().joined(separator: ", "))"
      throw CommandFailure(.usage, "no context '\(excerpt(name))' in \(path): \(known)")
    }
    return context.address
  }
}

// MARK: - Where it is

extension ContextFile {
  /// By the XDG base directory specification, unless the variable names a file.
  ///
  /// - Returns: nil where this user has no folder for it.
  static func path(in environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
    func named(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
    if let file = named(variable) { return file }
    // What is not absolute is to be passed over, the specification says.
    if let folder = named("XDG_CONFIG_HOME"), folder.hasPrefix("/") { return "\(folder)/carbontube/config.json" }
    return named("HOME").map { "\($0)/.config/carbontube/config.json" }
  }

  /// - Returns: an empty one where there is no file.
  /// - Throws: where it cannot be read, or is no file of contexts.
  static func read(_ path: String, checksCurrent: Bool = true) throws(CommandFailure) -> ContextFile {
    guard let bytes = try contents(of: path) else { return ContextFile() }
    let file: ContextFile
    do {
      file = try JSONDecoder().decode(ContextFile.self, from: Data(bytes))
    } catch {
      throw CommandFailure(.configuration, "\(path) is no file of contexts: \(problem(in: error)); \(shape)")
    }
    try file.check(path, checksCurrent: checksCurrent)
    return file
  }

  private static let shape = #"write {"contexts": {"NAME": {"address": "tcp://…"}}, "current": "NAME"}"#

  private static func problem(in error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "" : "'\(excerpt(path.map(\.stringValue).joined(separator: ".")))': "
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath + [key]))is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return context.codingPath.isEmpty ? "it is no JSON object" : "\(place(context.codingPath))is of another type"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return place(context.codingPath) + context.debugDescription
    default: return "it is not JSON"
    }
  }

  private func check(_ path: String, checksCurrent: Bool) throws(CommandFailure) {
    for (name, context) in contexts.sorted(by: { $0.key < $1.key }) {
      do { try Self.requireName(name) } catch {
        throw CommandFailure(.configuration, "\(path): \(error.message)")
      }
      if let problem = addressProblem(context.address, binding: false) {
        throw CommandFailure(.configuration, "\(path): context \(name): \(problem)")
      }
    }
    if checksCurrent, let current, contexts[current] == nil {
      throw CommandFailure(
        .configuration,
        "\(path): 'current' is '\(excerpt(current))', and no context is called so; carbontube context use NAME")
    }
  }

  /// - Returns: nil where there is none.
  private static func contents(of path: String) throws(CommandFailure) -> [UInt8]? {
    // A FIFO that nobody writes to does not hold the program up.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw unreadable(path, errno)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &part, part.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw unreadable(path, errno)
      }
      bytes += part[..<count]
      guard bytes.count <= maximumBytes else {
        throw CommandFailure(
          .configuration, "\(path) has more than \(maximumBytes) bytes, so it is no file of contexts")
      }
    }
  }

  private static func unreadable(_ path: String, _ code: Int32) -> CommandFailure {
    CommandFailure(
      code == EACCES ? .denied : .noInput, "\(path) cannot be read: \(String(cString: strerror(code)))")
  }
}

// MARK: - Writing

extension ContextFile {
  /// Makes its folder where there is none. Whoever reads meanwhile finds what was there before, or what is there then.
  func write(_ path: String) throws(CommandFailure) {
    // What a link leads to is replaced, not the link.
    let target = realpath(path, nil).map { real in
      defer { free(real) }
      return String(cString: real)
    }
    let place = target ?? path
    let folder = place.lastIndex(of: "/").map { String(place[..<$0]) } ?? "."
    Self.makeFolder(folder)
    let fresh = "\(place).\(getpid())"
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.unwritable(path, errno) }
    var code = writeAll(text, to: descriptor)
    if code == 0, fsync(descriptor) != 0 { code = errno }
    if Glibc.close(descriptor) != 0, code == 0 { code = errno }
    if code == 0, rename(fresh, place) != 0 { code = errno }
    guard code != 0 else { return }
    unlink(fresh)
    throw Self.unwritable(path, code)
  }

  private static func unwritable(_ path: String, _ code: Int32) -> CommandFailure {
    CommandFailure(
      code == EACCES || code == EROFS ? .denied : .configuration,
      "\(path) cannot be written: \(String(cString: strerror(code)))")
  }

  /// Whether it could be is seen by whoever writes there.
  private static func makeFolder(_ path: String) {
    guard !path.isEmpty, access(path, F_OK) != 0 else { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { makeFolder(String(path[..<slash])) }
    mkdir(path, 0o700)
  }

  private var text: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return ((try? encoder.encode(self)).map { [UInt8]($0) } ?? []) + [UInt8(ascii: "\n")]
  }
}

// MARK: - Its JSON

extension ContextFile: Codable {
  private struct Member: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Member.self)
    // What is misspelt would be passed over, and another coordinator would be meant than was thought.
    if let unknown = members.allKeys.first(where: { !["contexts", "current"].contains($0.stringValue) }) {
      throw DecodingError.dataCorruptedError(forKey: unknown, in: members, debugDescription: "is not known")
    }
    contexts = try members.decodeIfPresent([String: Context].self, forKey: Member("contexts")) ?? [:]
    current = try members.decodeIfPresent(String.self, forKey: Member("current"))
  }

  func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: Member.self)
    try members.encode(contexts, forKey: Member("contexts"))
    try members.encodeIfPresent(current, forKey: Member("current"))
  }
}
