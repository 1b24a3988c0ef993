"""scripts/install-swift and scripts/swift-path, against a server on loopback that has a toolchain of a few bytes."""

import functools
import http.server
import io
import os
import pathlib
import platform
import shutil
import subprocess
import tarfile
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = "6.3.1"
SUFFIX = "-aarch64" if platform.machine() == "aarch64" else ""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def archive_of(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"swift-{VERSION}/{name}")
            member.mode, member.size = 0o755, len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return data.getvalue()


class ToolchainTests(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="toolchain-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.served = self.folder / "served"
        self.target = self.folder / "data/swift"
        self.release = "ID=debian\nVERSION_ID=\"12\"\n"
        self.place = self.served / f"swift-{VERSION}-release/debian12{SUFFIX}/swift-{VERSION}-RELEASE"
        self.place.mkdir(parents=True)
        self.archive = self.place / f"swift-{VERSION}-RELEASE-debian12{SUFFIX}.tar.gz"
        self.archive.write_bytes(archive_of({"usr/bin/swift": "#!/bin/sh\necho the installed Swift\n"}))
        self.key = self.make_key("swift")
        self.sign("swift")
        handler = functools.partial(QuietHandler, directory=self.served)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def gpg(self, name, *words):
        home = self.folder / f"gnupg-{name}"
        home.mkdir(mode=0o700, exist_ok=True)
        done = subprocess.run(
            ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *words],
            check=True, capture_output=True)
        return done.stdout

    def make_key(self, name):
        self.gpg(name, "--quick-generate-key", f"{name} <{name}@example.org>", "ed25519", "sign", "never")
        self.addCleanup(
            subprocess.run, ["gpgconf", "--homedir", self.folder / f"gnupg-{name}", "--kill", "all"], capture_output=True)
        listed = self.gpg(name, "--list-keys", "--with-colons").decode()
        with open(self.served / "keys.asc", "ab") as keys:
            keys.write(self.gpg(name, "--armor", "--export"))
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    def sign(self, name):
        signature = pathlib.Path(f"{self.archive}.sig")
        signature.write_bytes(self.gpg(name, "--detach-sign", "--output", "-", str(self.archive)))

    def environment(self):
        address = f"http://127.0.0.1:{self.server.server_port}"
        (self.folder / "os-release").write_text(self.release)
        return dict(
            os.environ, CARBONTUBE_SWIFT_VERSION=VERSION, CARBONTUBE_SWIFT_FOLDER=str(self.target),
            CARBONTUBE_SWIFT_URL=address, CARBONTUBE_SWIFT_KEYRING=f"{address}/keys.asc", CARBONTUBE_SWIFT_KEY=self.key,
            CARBONTUBE_OS_RELEASE=str(self.folder / "os-release"), no_proxy="127.0.0.1")

    def install(self):
        return subprocess.run(
            [ROOT / "scripts/install-swift"], env=self.environment(), capture_output=True, text=True, timeout=300)

    def expect_refusal(self, code, words):
        done = self.install()
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(words, done.stderr.splitlines()[-1])
        left = list(self.target.parent.iterdir()) if self.target.parent.exists() else []
        self.assertEqual(left, [], "a refusal leaves nothing")

    def test_what_is_signed_by_the_key_is_installed_once_and_said_before(self):
        done = self.install()
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.target}/usr/bin\n"), done.stderr)
        lines = done.stderr.splitlines()
        self.assertIn(f"installing Swift {VERSION}", lines[0])
        self.assertIn(str(self.target), lines[1])
        self.assertEqual([path.name for path in self.target.parent.iterdir()], ["swift"])
        self.server.shutdown()
        again = self.install()
        self.assertEqual((again.returncode, again.stdout, again.stderr), (0, done.stdout, ""))

    def test_scripts_use_it_where_no_swift_works(self):
        shim = self.folder / "shim"
        shim.mkdir()
        (shim / "swift").write_text("#!/bin/sh\nexit 1\n")
        (shim / "swift").chmod(0o755)
        environment = self.environment()
        environment["PATH"] = f"{shim}:{environment['PATH']}"
        done = subprocess.run(
            ["sh", "-eu", "-c", ". scripts/swift-path; swift"], cwd=ROOT, env=environment, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "the installed Swift\n"), done.stderr)

    def test_a_signature_by_another_key_of_the_same_keyring_is_refused(self):
        self.make_key("mallory")
        self.sign("mallory")
        self.expect_refusal(77, f"is not signed by {self.key}; nothing was unpacked")

    def test_an_archive_that_was_changed_is_refused(self):
        self.archive.write_bytes(archive_of({"usr/bin/swift": "#!/bin/sh\necho changed\n"}))
        self.expect_refusal(77, "is not signed by")

    def test_an_archive_that_is_cut_short_is_refused(self):
        self.archive.write_bytes(self.archive.read_bytes()[:-20])
        self.expect_refusal(77, "is not signed by")

    def test_a_keyring_without_the_key_is_refused(self):
        self.key = "52BB7E3DE28A71BE22EC05FFEF80A866B47A981F"
        self.expect_refusal(77, f"has no key {self.key}; nothing was unpacked")

    def test_a_missing_signature_or_archive_is_told_with_its_address(self):
        pathlib.Path(f"{self.archive}.sig").unlink()
        self.expect_refusal(69, ".tar.gz.sig cannot be fetched")

    def test_a_signed_archive_without_a_toolchain_is_refused(self):
        self.archive.write_bytes(archive_of({"README": "nothing"}))
        self.sign("swift")
        self.expect_refusal(65, "has no usr/bin/swift")

    def test_another_distribution_is_told_what_to_do(self):
        self.release = "ID=fedora\nVERSION_ID=41\n"
        self.expect_refusal(69, "for fedora 41 (there is for Debian 12")

    def test_the_key_is_swifts_unless_another_is_named(self):
        self.assertIn(
            "${CARBONTUBE_SWIFT_KEY:-52BB7E3DE28A71BE22EC05FFEF80A866B47A981F}",
            (ROOT / "scripts/install-swift").read_text())


if __name__ == "__main__":
    unittest.main()
