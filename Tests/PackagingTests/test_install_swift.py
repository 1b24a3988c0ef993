"""scripts/install-swift and scripts/swift-path, with a toolchain that this machine serves to itself."""

import os
import shutil
import tempfile
import unittest

from served_toolchain import SWIFT, Downloads, Machine, Signer, archive

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACE = "/swift-6.3.1-release/{0}/swift-6.3.1-RELEASE/swift-6.3.1-RELEASE-{1}.tar.gz"
DEBIAN = PLACE.format("debian12", "debian12")
THEN = ("--faked-system-time", "20200201T000000")


class InstallSwiftTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.signer, cls.other = Signer("swift"), Signer("other")
        cls.addClassCleanup(cls.signer.close)
        cls.addClassCleanup(cls.other.close)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="carbontube-swift-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.downloads = Downloads()
        self.addCleanup(self.downloads.close)
        self.machine = Machine(f"{self.folder}/machine")
        self.archive = archive({"usr/bin/swift": SWIFT})
        self.serve(self.archive, self.signer.sign(self.archive))

    def serve(self, data, signature, path=DEBIAN, keys=None):
        self.downloads.files = {path: data, "/all-keys.asc": keys or self.other.public() + self.signer.public()}
        if signature:
            self.downloads.files[f"{path}.sig"] = signature

    def run_on(self, machine, *words, folder=ROOT, **variables):
        return machine.run(words, folder, **{
            "CARBONTUBE_SWIFT_URL": self.downloads.address,
            "CARBONTUBE_SWIFT_KEYRING": f"{self.downloads.address}/all-keys.asc",
            "CARBONTUBE_SWIFT_KEY": self.signer.fingerprint, **variables})

    def install(self, machine=None, **variables):
        return self.run_on(machine or self.machine, "scripts/install-swift", **variables)

    def assert_refused(self, run, status, *parts):
        self.assertEqual(run.returncode, status, run.stderr)
        said = run.stderr.strip().splitlines()[-1]
        for part in parts:
            self.assertIn(part, said)
        self.assertEqual(self.machine.left(), [], "nothing is left behind")

    def test_a_toolchain_with_a_good_signature_is_installed_after_saying_so(self):
        run = self.install()
        self.assertEqual(run.returncode, 0, run.stderr)
        folder = f"{self.machine.folder}/home/.local/share/carbontube/swift-6.3.1"
        self.assertEqual(os.stat(f"{folder}/usr/bin/swift").st_mode & 0o777, 0o755)
        self.assertEqual(self.machine.left(), ["swift-6.3.1"])
        said, done = run.stdout.index("will be installed"), run.stdout.index(f"\ninstalled: {folder}")
        self.assertLess(said, run.stdout.index("installing: tzdata"))
        self.assertLess(run.stdout.index(self.signer.fingerprint), done)
        self.assertIn("install -y -qq --no-install-recommends tzdata", self.machine.apt())

    def test_a_second_run_does_nothing(self):
        self.install()
        asked = len(self.downloads.asked)
        run = self.install()
        self.assertEqual((run.returncode, len(self.downloads.asked)), (0, asked))
        self.assertRegex(run.stdout, "^Swift is installed: .*swift-6.3.1\n$")

    def test_each_distribution_and_machine_has_its_own_archive_and_packages(self):
        for release, architecture, place, name, package in [
            ("ubuntu 24.04", "aarch64", "ubuntu2404-aarch64", "ubuntu24.04-aarch64", "libstdc++-13-dev"),
            ("ubuntu 22.04", "x86_64", "ubuntu2204", "ubuntu22.04", "libstdc++-11-dev"),
            ("debian 12", "aarch64", "debian12-aarch64", "debian12-aarch64", "libstdc++-12-dev"),
        ]:
            with self.subTest(f"{release} {architecture}"):
                machine = Machine(f"{self.folder}/{place}", release, architecture)
                machine.missing("libstdc*")
                self.serve(self.archive, self.signer.sign(self.archive), PLACE.format(place, name))
                run = self.install(machine)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn(f"recommends {package}\n", machine.apt())
                self.assertEqual(machine.left(), ["swift-6.3.1"])

    def test_a_signature_of_another_key_of_the_keyring_is_refused(self):
        self.serve(self.archive, self.other.sign(self.archive))
        self.assert_refused(self.install(), 65, "is not signed by", "not unpacked")

    def test_a_keyring_without_the_key_is_refused(self):
        self.serve(self.archive, self.other.sign(self.archive), keys=self.other.public())
        self.assert_refused(self.install(), 69, "does not have the key", self.signer.fingerprint)

    def test_a_tampered_archive_is_refused(self):
        self.serve(archive({"usr/bin/swift": SWIFT + "# more\n"}), self.signer.sign(self.archive))
        self.assert_refused(self.install(), 65, "is not signed by")

    def test_a_missing_or_empty_signature_is_refused(self):
        self.serve(self.archive, None)
        self.assert_refused(self.install(), 69, "cannot download", ".tar.gz.sig")
        self.serve(self.archive, b"\n")
        self.assert_refused(self.install(), 65, "is not signed by")

    def test_a_download_that_ends_early_is_refused(self):
        self.downloads.cut = {DEBIAN}
        self.assert_refused(self.install(), 69, "cannot download", DEBIAN)
        # The same where nobody says how long it should have been.
        self.downloads.cut = set()
        self.serve(self.archive[:-20], self.signer.sign(self.archive))
        self.assert_refused(self.install(), 65, "is not signed by")

    def test_an_archive_without_swift_is_refused(self):
        data = archive({"usr/bin/other": SWIFT})
        self.serve(data, self.signer.sign(data))
        self.assert_refused(self.install(), 65, "has no usr/bin/swift")

    def test_a_key_counts_as_it_was_when_it_signed(self):
        signer = Signer("brief", *THEN, expires="2020-12-31")
        self.addCleanup(signer.close)
        self.serve(self.archive, signer.sign(self.archive, *THEN), keys=signer.public())
        run = self.install(CARBONTUBE_SWIFT_KEY=signer.fingerprint)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_a_key_that_had_expired_when_it_signed_is_refused(self):
        signer = Signer("late", *THEN)
        self.addCleanup(signer.close)
        signature = signer.sign(self.archive)
        signer.gpg("--faked-system-time", "20200301T000000", "--passphrase", "", "--pinentry-mode", "loopback",
                   "--quick-set-expire", signer.fingerprint, "2020-12-31")
        self.serve(self.archive, signature, keys=signer.public())
        self.assert_refused(self.install(CARBONTUBE_SWIFT_KEY=signer.fingerprint), 65, "is not signed by")

    def test_another_distribution_or_machine_is_refused_in_one_line(self):
        for release, architecture, named in [("fedora 41", "x86_64", "Fedora 41"), ("debian 11", "x86_64", "Debian 11"),
                                             ("debian 12", "riscv64", "riscv64")]:
            machine = Machine(f"{self.folder}/{named}", release, architecture)
            run = self.install(machine)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (69, "", 1), run.stderr)
            self.assertIn(named, run.stderr)
            self.assertIn("https://www.swift.org/install/linux/", run.stderr)
            self.assertEqual(machine.left() + machine.apt().split(), [])

    def test_plain_http_from_elsewhere_is_refused(self):
        self.assert_refused(self.install(CARBONTUBE_SWIFT_KEYRING="http://example.org/keys"), 64, "is not an https:// address")

    def test_what_lies_in_the_way_is_left_alone(self):
        folder = f"{self.folder}/mine"
        os.makedirs(folder)
        self.assert_refused(self.install(CARBONTUBE_SWIFT_FOLDER=folder), 73, folder)
        self.assertEqual(os.listdir(folder), [])

    def checkout(self):
        folder = f"{self.folder}/checkout"
        shutil.copytree(f"{ROOT}/scripts", f"{folder}/scripts")
        return folder

    def test_scripts_that_build_install_swift_and_use_it(self):
        folder = self.checkout()
        for script in ["scripts/build", "scripts/demo"]:
            calls = f"{self.folder}/calls"
            run = self.run_on(self.machine, script, folder=folder, SWIFT_CALLS=calls)
            self.assertEqual(run.returncode, 3, f"what the toolchain's swift ends with: {run.stderr}")
            with open(calls) as file:
                self.assertIn("build -c release", file.read())
            self.assertIn("Swift 6.2 or later is needed and not in PATH.\nSwift 6.3.1 will be installed", run.stderr)
            shutil.rmtree(f"{self.machine.folder}/home/.local")

    def test_an_old_swift_is_passed_over_and_a_new_one_used(self):
        words = ["sh", "-c", ". scripts/swift-path && command -v swift"]
        self.machine.program("swift", 'echo "Swift version 5.10.1 (swift-5.10.1-RELEASE)"')
        run = self.run_on(self.machine, *words)
        self.assertRegex(run.stdout, "share/carbontube/swift-6.3.1/usr/bin/swift\n$", run.stderr)
        for version in ["6.2", "6.10.1", "7.0"]:
            self.machine.program("swift", f'echo "Swift version {version} (swift)"')
            run = self.run_on(self.machine, *words)
            self.assertEqual((run.stdout, run.stderr), (f"{self.machine.programs}/swift\n", ""))

    def test_every_script_that_runs_swift_looks_for_it_first(self):
        for name in os.listdir(f"{ROOT}/scripts"):
            path = f"{ROOT}/scripts/{name}"
            if os.path.isdir(path):
                continue
            with open(path) as file:
                lines = [line.strip() for line in file]
            first = next((at for at, line in enumerate(lines) if line.startswith(("swift build", "swift test"))), None)
            if first is not None:
                self.assertIn(". scripts/swift-path", lines, name)

    def test_nothing_goes_on_where_no_swift_can_be_had(self):
        machine = Machine(f"{self.folder}/arch", "arch 1")
        run = self.run_on(machine, "scripts/build", folder=self.checkout())
        self.assertEqual(run.returncode, 69)
        self.assertIn("not for Arch 1", run.stderr)


if __name__ == "__main__":
    unittest.main()
