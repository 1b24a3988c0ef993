import PluginTestKit
import Testing

/// The public header is for every C and C++ author, not only for the compiler of this package.
@Suite struct HeaderTests {
  @Test(arguments: [
    ("c", "c11"), ("c", "gnu99"), ("c++", "c++11"), ("c++", "c++17"),
  ])
  func compilesWithoutAWarning(_ language: String, _ standard: String) throws {
    try run(
      "clang", "-x", language, "-std=\(standard)", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
      "\(packageFolder)/Sources/CPhaseABI/include/carbontube.h")
  }
}
