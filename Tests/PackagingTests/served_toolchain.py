"""A toolchain as swift.org has them, small, signed by keys made here, and served from this machine."""

import functools
import http.server
import io
import os
import subprocess
import tarfile
import tempfile
import threading

SWIFT = """#!/bin/sh
[ -z "${SWIFT_CALLS:-}" ] || echo "$*" >>"$SWIFT_CALLS"
case $1 in
  --version) echo "Swift version 6.3.1 (swift-6.3.1-RELEASE)" ;;
  *) exit 3 ;;
esac
"""


def archive(files):
    """A tar.gz with one folder, as those of swift.org, and in it `files`, programs by path."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"swift-6.3.1-RELEASE/{path}")
            entry.size, entry.mode = len(text), 0o750
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


class Signer:
    """A key in a keyring of its own."""

    def __init__(self, name, *options, expires="never"):
        # Short, because the agent's socket lies in it.
        self.folder = tempfile.TemporaryDirectory(prefix="ct-gpg-")
        self.gpg(*options, "--passphrase", "", "--quick-gen-key", f"{name} <{name}@example.org>", "ed25519", "sign", expires)
        listed = self.gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    def gpg(self, *words, given=None):
        return subprocess.run(["gpg", "--homedir", self.folder.name, "--batch", "--quiet", *words], input=given,
                              capture_output=True, check=True).stdout

    def sign(self, data, *options):
        return self.gpg(*options, "--detach-sign", given=data)

    def public(self):
        return self.gpg("--armor", "--export")

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.folder.name, "--kill", "gpg-agent"], check=True)
        self.folder.cleanup()


class Downloads:
    """Serves `files`, bytes by path; those in `cut` end in their middle."""

    def __init__(self):
        self.files, self.cut, self.asked = {}, set(), []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Answer, self))
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    def __init__(self, downloads, *arguments):
        self.downloads = downloads
        super().__init__(*arguments)

    def do_GET(self):
        self.downloads.asked.append(self.path)
        body = self.downloads.files.get(self.path)
        if body is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if self.path in self.downloads.cut else body)

    def log_message(self, *_):
        pass


class Machine:
    """PATH with what a fresh Debian has and no swift, an apt-get that only writes down what it is asked, and a home."""

    PROGRAMS = ("sh bash env cat sed awk grep tr cut dirname basename mkdir mktemp mv cp rm chmod ln ls tar gzip id pwd uname "
                "curl gpg gpgv install").split()

    def __init__(self, folder, release="debian 12", architecture="x86_64"):
        self.folder, self.programs = folder, f"{folder}/bin"
        os.makedirs(self.programs)
        os.makedirs(f"{folder}/home")
        for name in self.PROGRAMS:
            path = next(path for path in (f"/usr/bin/{name}", f"/bin/{name}") if os.path.exists(path))
            os.symlink(path, f"{self.programs}/{name}")
        identity, version = release.split()
        self.write("os-release", f'ID={identity}\nVERSION_ID="{version}"\nPRETTY_NAME="{identity.title()} {version}"\n')
        self.program("uname", f"echo {architecture}")
        self.program("sudo", 'exec "$@"')
        self.program("apt-get", f'echo "$*" >>{folder}/apt')
        self.missing("tzdata")

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(text)

    def program(self, name, text):
        path = f"{self.programs}/{name}"
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def missing(self, *packages):
        pattern = "|".join(packages) or "none"
        self.program("dpkg-query", f'for last; do :; done\ncase $last in {pattern}) exit 1 ;; esac\necho install ok installed')

    def apt(self):
        if not os.path.exists(f"{self.folder}/apt"):
            return ""
        with open(f"{self.folder}/apt") as file:
            return file.read()

    def left(self):
        """What lies where toolchains go."""
        place = f"{self.folder}/home/.local/share/carbontube"
        return sorted(os.listdir(place)) if os.path.exists(place) else []

    def run(self, words, folder, **variables):
        return subprocess.run(
            words, cwd=folder, capture_output=True, text=True,
            env={"PATH": self.programs, "HOME": f"{self.folder}/home", "CARBONTUBE_OS_RELEASE": f"{self.folder}/os-release",
                 **variables})
