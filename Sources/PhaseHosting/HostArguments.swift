/// What a child is for.
enum HostRole: Equatable {
  case scan
  case phase(jobType: String)
  case pipeline(name: String)
}

/// The command line of a child. HostSupervision writes it, people do not, so it is strict and knows no short forms:
///
///     (--scan LIB | --phase LIB JOB_TYPE | --pipeline LIB NAME)
///     [--memory BYTES] [--open-files N] [--cpu-seconds N] [--core-files 1] [--work-directory DIR]
struct HostArguments: Equatable {
  var role: HostRole
  var library: String
  var memoryBytes: UInt?
  var openFiles: UInt?
  var cpuSeconds: UInt?
  /// Any number but 0: they are written.
  var coreFiles: UInt?
  var workDirectory = ""

  /// - Parameter words: without the program's name. Nil where they break the form above.
  init?(_ words: [String]) {
    var rest = words[...]
    guard let mode = rest.popFirst(), let library = rest.popFirst() else { return nil }
    self.library = library
    switch mode {
    case "--scan": role = .scan
    case "--phase":
      guard let jobType = rest.popFirst() else { return nil }
      role = .phase(jobType: jobType)
    case "--pipeline":
      guard let name = rest.popFirst() else { return nil }
      role = .pipeline(name: name)
    default: return nil
    }
    while let option = rest.popFirst() {
      guard let value = rest.popFirst(), set(option, to: value) else { return nil }
    }
  }

  private mutating func set(_ option: String, to value: String) -> Bool {
    switch option {
    case "--memory": memoryBytes = UInt(value)
    case "--open-files": openFiles = UInt(value)
    case "--cpu-seconds": cpuSeconds = UInt(value)
    case "--core-files": coreFiles = UInt(value)
    case "--work-directory": workDirectory = value
    default: return false
    }
    return option == "--work-directory" || UInt(value) != nil
  }
}
