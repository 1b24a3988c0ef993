"""A root of this machine's Debian or Ubuntu that has nothing but its base system: no Swift, no CarbonTube."""

import os
import pathlib
import subprocess
import tempfile

USER = 65534  # nobody


def codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1]
    raise AssertionError("/etc/os-release names no VERSION_CODENAME")


class CleanRoot:
    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="clean-root-", dir="/var/tmp"))
        self.path.chmod(0o755)
        made = subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--skip=cleanup/apt/lists", codename(), self.path],
            capture_output=True, text=True)
        if made.returncode:
            self.remove()
            raise AssertionError(f"no clean root can be made here: {made.stderr}")
        for name, options in (("proc", ["-t", "proc", "proc"]), ("dev", ["--bind", "/dev"])):
            subprocess.run(["mount", *options, self.path / name], check=True)
        # What apt on this machine needs to reach its mirrors.
        for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
            source = pathlib.Path("/") / name
            if source.exists():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                (self.path / name).write_bytes(source.read_bytes())
        for source in pathlib.Path("/etc/apt/apt.conf.d").glob("*"):
            text = source.read_text()
            if "http" in text.lower() and "://" in text:
                (self.path / "etc/apt/apt.conf.d" / source.name).write_text(text)
        self.home = self.path / "home/worker"
        self.home.mkdir(parents=True)
        os.chown(self.home, USER, USER)

    def remove(self):
        for name in ("proc", "dev"):
            subprocess.run(["umount", "--lazy", self.path / name], capture_output=True)
        subprocess.run(["rm", "-rf", "--one-file-system", self.path], check=True)

    def command(self, words, root=False):
        """The command line that runs `words` in there; as an unprivileged user unless told otherwise."""
        identity = [] if root else [f"--userspec={USER}:{USER}"]
        variables = ["HOME=/root" if root else "HOME=/home/worker", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
        if root:
            variables += [f"{key}={value}" for key, value in os.environ.items() if key.lower().endswith("_proxy")]
            variables.append("DEBIAN_FRONTEND=noninteractive")
        inside = "cd $HOME && exec \"$@\""
        return ["chroot", *identity, self.path, "/usr/bin/env", "-i", *variables, "/bin/sh", "-c", inside, "sh", *words]

    def run(self, *words, root=False, status=0):
        done = subprocess.run(self.command(words, root), capture_output=True, text=True, timeout=300)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def install(self, package):
        (self.path / "tmp/package.deb").write_bytes(pathlib.Path(package).read_bytes())
        return self.run(
            "apt-get", "install", "--yes", "--no-install-recommends", "/tmp/package.deb", root=True)
