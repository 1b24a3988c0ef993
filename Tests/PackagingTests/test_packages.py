"""scripts/package and scripts/install, on a root that has no Swift.

One story in the order of its names: the package is installed, used by somebody without rights, upgraded under load, removed.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import made_package
from clean_root import CleanRoot

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(f"{ROOT}/Tests")
from waiting import until  # noqa: E402

CARBONTUBE = "/usr/lib/carbontube"

# Needs all of Foundation, which carbontube itself does not, and lets a test end its process.
FOUNDATION_PHASE = """
public import CPhaseABI
internal import Foundation
import PhaseKit

struct Elsewhere: Phase {
  static let jobType = "elsewhere"
  struct Input: Decodable { var number: Int }
  struct Output: Encodable { var text: String }

  func execute(_ input: Input, _ job: JobContext) async throws -> Output? {
    try await Task.sleep(for: .milliseconds(20))
    if input.number < 0 { fatalError("on purpose") }
    let formatter = NumberFormatter()
    formatter.numberStyle = .spellOut
    formatter.locale = Locale(identifier: "en_US")
    return Output(text: formatter.string(from: NSNumber(value: input.number)) ?? "")
  }
}

struct OnePhase: Pipeline {
  static let name = "elsewhere"
  static let phases = [Elsewhere.jobType]
}

let plugin = Plugin("org.example.elsewhere", version: "1.0.0", phases: [Elsewhere.self], pipelines: [OnePhase.self])

"""


def run(*words, **options):
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, **options)
    if done.returncode:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def programs_below(parent):
    """(pid, program, command line) of each process below `parent`."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                found[int(entry.name)] = (
                    int(fields[1]), os.readlink(entry / "exe"), (entry / "cmdline").read_bytes().split(b"\0"))
            except OSError:
                pass
    below, added = {parent}, True
    while added:
        more = {pid for pid, (its_parent, _, _) in found.items() if its_parent in below} - below
        added = bool(more)
        below |= more
    return [(pid, found[pid][1], found[pid][2]) for pid in below - {parent} if pid in found]


class Served:
    """A program that serves in the clean root, ended with the test."""

    def __init__(self, test, root, *words):
        self.log = tempfile.TemporaryFile(mode="w+")
        test.addCleanup(self.log.close)
        self.process = subprocess.Popen(root.command(words), stdout=self.log, stderr=self.log)
        test.addCleanup(self.end)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def says(self, pattern):
        return until(lambda: re.search(pattern, self.text()), f"{pattern} in what it logs")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)
        return self.process.returncode


class PackageTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="packages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        if os.geteuid() != 0:
            raise AssertionError("this needs root: it makes a root of its own and installs packages there")
        cls.first = made_package.packages()
        cls.second = made_package.packages("--version", run("bin/carbontube", "--version").split()[-1] + "+next")
        cls.root = CleanRoot()
        cls.addClassCleanup(cls.root.remove)

    def build_of(self, package):
        files = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
        return subprocess.run(
            ["tar", "-xO", f".{CARBONTUBE}/BUILD"], input=files, check=True, capture_output=True).stdout.decode().strip()

    def test_1_lintian_has_nothing_to_say(self):
        said = subprocess.run(
            ["lintian", "--allow-root", "--fail-on", "error,warning", *self.first.values()], capture_output=True, text=True)
        self.assertEqual((said.returncode, said.stdout), (0, ""), said.stdout + said.stderr)

    def test_2_a_user_without_rights_runs_jobs_where_there_is_no_swift(self):
        self.assertEqual(run("find", self.root.path, "-xdev", "-name", "libswiftCore.so"), "", "no Swift to begin with")
        self.root.install(self.first["carbontube"])
        said = self.root.run("carbontube", "run", "libExample.so", "example-one", '{"size": 10}')
        self.assertRegex(said, r'"hash": ?"[0-9a-f]{40}"')
        self.assertEqual(
            self.root.run("carbontube", "plugins", "list", "--json").count('"word":"ok"'), 3)
        build = self.build_of(self.first["carbontube"])
        linked = self.root.run("ldd", f"{CARBONTUBE}/builds/{build}/carbontube")
        for line in linked.splitlines():
            if re.search(r"swift|Foundation|dispatch", line):
                self.assertIn(f"{CARBONTUBE}/builds/{build}/", line)
        self.assertNotIn("not found", linked)
        for place in ("systemd/system/carbontube-phase@.service", "sysusers.d/carbontube.conf", "tmpfiles.d/carbontube.conf"):
            self.assertTrue((self.root.path / "usr/lib" / place).is_file())
        # The SDK is found from the program's own place.
        self.root.run("carbontube", "plugins", "new", "greet", "--language", "c")
        self.assertTrue((self.root.home / "greet/carbontube.h").is_file())
        for page in ("carbontube.1.gz", "carbontube-enqueue.1.gz"):
            self.assertTrue((self.root.path / "usr/share/man/man1" / page).is_file())

    def test_3_a_plugin_built_elsewhere_gets_the_runtime_of_the_package(self):
        self.build_plugin()
        said = self.root.run("carbontube", "run", "/home/worker/libElsewhere.so", "elsewhere", '{"number": 42}')
        self.assertIn("forty-two", said)
        # Of a crash there is a trace, made by what the package has for it.
        said = self.root.run(
            "carbontube", "plugins", "test", "/home/worker/libElsewhere.so", "elsewhere", '{"number": -1}', status=1)
        self.assertIn("Elsewhere.execute(_:_:)", said)
        # A plugin that SwiftPM alone has linked carries the path of a toolchain that is not here.
        foreign = self.root.home / "libForeign.so"
        shutil.copy(ROOT / "plugins/libHashFile.so", foreign)
        path = subprocess.run(["readelf", "-d", foreign], capture_output=True, text=True, check=True).stdout
        self.assertRegex(path, r"RUNPATH.*\[/")
        said = self.root.run("carbontube", "plugins", "inspect", "/home/worker/libForeign.so")
        self.assertIn("calculate-hash", said)

    def build_plugin(self):
        project = self.folder / "elsewhere"
        environment = dict(os.environ, CARBONTUBE_SDK=str(ROOT / "sdk"))
        run("bin/carbontube", "plugins", "new", project.name, "--directory", project, env=environment)
        source = next((project / "Sources").glob("*/*.swift"))
        made = source.read_text()
        source.write_text(FOUNDATION_PHASE + made[made.index("// swift-format-ignore"):])
        run("bin/carbontube", "plugins", "build", project, env=environment)
        shutil.copy(next((project / "build").glob("*.so")), self.root.home / "libElsewhere.so")

    def addresses(self, pipeline):
        return tuple(pipeline.says(pattern).group(1) for pattern in (r"jobs (tcp://\S+),", r"workers (tcp://\S+),"))

    def test_4_an_upgrade_under_load_leaves_the_running_worker_its_own_build(self):
        old, new = (self.build_of(packages["carbontube"]) for packages in (self.first, self.second))
        self.assertNotEqual(old, new)
        pipeline = Served(
            self, self.root, "carbontube", "pipeline", "libElsewhere.so", "elsewhere", "--job-pull", "tcp://127.0.0.1:*",
            "--sub-bind", "tcp://127.0.0.1:*", "--storage", "sqlite:jobs.db")
        jobs, meeting = self.addresses(pipeline)
        phase = Served(
            self, self.root, "carbontube", "phase", "/home/worker/libElsewhere.so", "elsewhere", "--sub-connect",
            meeting)
        self.enqueue(jobs, range(0, 200))
        until(lambda: self.counts(jobs).get("succeeded", 0) > 20, "twenty jobs")
        self.root.install(self.second["carbontube"])
        self.enqueue(jobs, range(200, 400))
        self.assertIn(new, os.readlink(self.root.path / "usr/lib/carbontube/current"))
        # Its child dies; the next one must be of the build that the worker is of, runtime and all.
        host = until(lambda: self.hosts(phase), "the worker's child")[0]
        os.kill(host, signal.SIGKILL)
        maps = until(
            lambda: next((maps for maps in map(self.maps, self.hosts(phase)) if "libFoundation.so" in maps), None),
            "a child that has loaded the plugin")
        self.assertIn(f"/builds/{old}/carbontube-plugin-host", maps)
        self.assertIn(f"/builds/{old}/libFoundation.so", maps)
        self.assertNotIn(f"/builds/{new}/", maps)
        # Whoever begins now begins with the new one.
        second = Served(
            self, self.root, "carbontube", "phase", "/home/worker/libElsewhere.so", "elsewhere", "--sub-connect",
            meeting)
        until(lambda: any(f"/builds/{new}/libFoundation.so" in self.maps(pid) for pid in self.hosts(second)), "its child")
        until(lambda: sum(self.counts(jobs).values()) == self.counts(jobs).get("succeeded"), "every job")
        self.assertEqual(self.counts(jobs), {"succeeded": 400})
        for server in (phase, second, pipeline):
            self.assertEqual(server.end(), 0, server.text())
        self.root.run(f"{CARBONTUBE}/switch-build", CARBONTUBE, root=True)
        self.assertEqual(os.listdir(self.root.path / "usr/lib/carbontube/builds"), [new])

    def enqueue(self, address, numbers):
        lines = "".join(json.dumps({"number": number}) + "\n" for number in numbers)
        done = subprocess.run(
            self.root.command(["carbontube", "enqueue", address, "elsewhere", "-"]), input=lines, capture_output=True,
            text=True)
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, len(numbers)), done.stderr)

    def counts(self, address):
        status = json.loads(self.root.run("carbontube", "status", "-a", address, "--json"))
        open_jobs = {
            state: sum(phase[state] for phase in status["phases"]) for state in ("waiting", "delayed", "running", "dead")}
        every = {"succeeded": status["succeeded"], "cancelled": status["cancelled"], **open_jobs}
        return {state: count for state, count in every.items() if count}

    def hosts(self, served):
        """The children of a worker that serve a phase; each has a guard of the same program as its parent."""
        serving = [
            pid for pid, program, words in programs_below(served.process.pid)
            if program.endswith("/carbontube-plugin-host") and b"--phase" in words]
        return [pid for pid in serving if not programs_below(pid)]

    def maps(self, pid):
        try:
            return pathlib.Path(f"/proc/{pid}/maps").read_text()
        except OSError:
            return ""

    def test_5_removal_takes_everything_away(self):
        self.root.run("apt-get", "remove", "--yes", "carbontube", root=True)
        self.assertFalse((self.root.path / "usr/lib/carbontube").exists())
        self.assertFalse(os.path.lexists(self.root.path / "usr/bin/carbontube"))

    def test_6_a_folder_that_was_installed_runs_there_as_well_and_goes_again(self):
        prefix = self.root.path / "opt/carbontube"
        staged = ("env", f"DESTDIR={self.root.path}", "scripts/install")
        run(*staged, "--no-build", "/opt/carbontube")
        said = self.root.run("/opt/carbontube/bin/carbontube", "run", "Example", "example-one", '{"size": 10}')
        self.assertRegex(said, r'"hash": ?"[0-9a-f]{40}"')
        (prefix / "share/mine").write_text("not the installer's")
        run(*staged, "--uninstall", "/opt/carbontube")
        self.assertEqual([path.name for path in prefix.rglob("*")], ["share", "mine"])
        refused = subprocess.run(
            [ROOT / "scripts/install", "--uninstall", prefix], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 66)
        self.assertIn("nothing is installed below", refused.stderr)


class UsageTests(unittest.TestCase):
    """What is wrong is told in one line, and nothing is built or written."""

    def refused(self, *words):
        done = subprocess.run([ROOT / words[0], *words[1:]], capture_output=True, text=True)
        self.assertEqual((len(done.stderr.splitlines()), done.stdout), (1, ""), done.stderr)
        return done.returncode, done.stderr

    def test_package(self):
        for words, said in (
            (["--nonsense"], "unknown option --nonsense"), (["--version"], "--version needs a version"),
            (["--version", "1 2"], "--version needs a version"), (["--version", "$(id)"], "--version needs a version")):
            code, text = self.refused("scripts/package", *words)
            self.assertEqual(code, 64)
            self.assertIn(said, text)

    def test_install(self):
        code, text = self.refused("scripts/install", "--nonsense")
        self.assertEqual(code, 64)
        self.assertIn("unknown option --nonsense", text)
        code, text = self.refused("scripts/install", "--uninstall", "/nonexistent")
        self.assertEqual(code, 66)
        self.assertIn("nothing is installed below /nonexistent", text)
        with unittest.mock.patch.dict(os.environ, DESTDIR="/stage"):
            self.assertIn("nothing is installed below /stage/usr/local", self.refused("scripts/install", "--uninstall")[1])
            code, text = self.refused("scripts/install", "--uninstall", "opt")
            self.assertEqual((code, "the prefix must be an absolute path, not opt" in text), (64, True), text)
        with unittest.mock.patch.dict(os.environ, DESTDIR="stage"):
            code, text = self.refused("scripts/install", "--uninstall", "/opt")
            self.assertEqual((code, "DESTDIR stage must be an absolute path" in text), (64, True), text)


if __name__ == "__main__":
    unittest.main()
