import Foundation
import PluginTestKit
import Testing

/// Authors on other machines have the SDK by a URL and a version, as SwiftPM has any package.
@Suite(.serialized, .timeLimit(.minutes(15))) struct PublishedSDKTests {
  @Test func `A plugin depends on the SDK by URL and version, as docs/plugins.md tells it`() throws {
    let author = try AuthorFolder()
    let end = try author.shell(
      """
      set -e
      export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
      export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
      '\(packageFolder)/scripts/sdk' "$PWD/carbontube-sdk"
      (cd carbontube-sdk && git init -q && git add -A && git commit -qm "SDK 0.1.0" && git tag 0.1.0)
      carbontube plugins new greet
      url="file://$PWD/carbontube-sdk"
      sed -i -e "s#\\.package(name: \\"sdk\\", path: .*)\\]#.package(url: \\"$url\\", from: \\"0.1.0\\")]#" \
        -e 's#package: "sdk"#package: "carbontube-sdk"#' greet/Package.swift
      cat greet/Package.swift >&2
      carbontube plugins build greet
      carbontube plugins test greet/build/libGreet.so greet '{"name": "Ada"}'
      cat greet/Package.resolved
      """)
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.contains(#"{"greeting":"Hello, Ada"}"#), "\(end)")
    #expect(end.output.contains("carbontube-sdk") && end.output.contains(#""version" : "0.1.0""#), "\(end)")
  }

  @Test func `The documentation of PhaseKit is built without a warning`() throws {
    let author = try AuthorFolder()
    let end = try author.shell(
      """
      set -e
      docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
      [ -x "$docc" ] || docc=docc
      cd sdk
      swift package dump-symbol-graph --minimum-access-level public >&2
      mkdir graphs
      cp .build/*/symbolgraph/PhaseKit*.symbols.json graphs
      "$docc" convert Sources/PhaseKit/PhaseKit.docc --additional-symbol-graph-dir graphs --warnings-as-errors \
        --fallback-display-name PhaseKit --fallback-bundle-identifier org.carbontube.PhaseKit --output-path out >&2
      ls out/data/documentation/phasekit
      """)
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.contains("writingaphase.json") && end.output.contains("testingaphase.json"), "\(end)")
  }
}
