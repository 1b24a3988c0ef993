"""A program in the root of an image: by crun, or in a chroot where crun cannot run."""

import json
import os
import subprocess
import tempfile

# crun cannot do with a machine that has both kinds of control groups; in a view of its own it sees one.
ONE_KIND_OF_GROUPS = "umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\""
CHROOT = 'mount -t proc proc "$1/proc" && exec chroot --userspec="$2" "$1" sh -c \'cd "$0" && exec "$@"\' "${@:3}"'


class Bundle:
    """An image unpacked. `settings` is what umoci made of its configuration."""

    def __init__(self, image, folder):
        self.folder = f"{folder}/bundle"
        self.is_root = os.geteuid() == 0
        subprocess.run(["umoci", "--log=error", "unpack", *([] if self.is_root else ["--rootless"]), "--image", image, self.folder],
                       check=True)
        with open(f"{self.folder}/config.json") as file:
            self.settings = json.load(file)
        self.settings["process"]["terminal"] = False
        # Resources need control groups, which a container of a test does not get.
        self.settings["linux"].pop("resources", None)
        self.settings["mounts"] = [mount for mount in self.settings["mounts"] if mount["destination"] != "/sys/fs/cgroup"]
        if not self.is_root:
            self.settings["process"]["user"] = {"uid": 0, "gid": 0}
        self.words = self.by_crun
        probe = subprocess.run(self.by_crun(["--version"], "probe"), capture_output=True, text=True)
        self.means = "crun" if self.is_root else "crun, this user being root inside"
        if probe.returncode != 0:
            self.words = self.by_chroot
            self.means = f"a chroot, because crun cannot run here: {probe.stderr.strip()}"

    def by_crun(self, words, name):
        self.settings["process"]["args"] = [*self.entrypoint, *words]
        with open(f"{self.folder}/config.json", "w") as file:
            json.dump(self.settings, file)
        return [*self.view(), *self.crun("run", "--bundle", self.folder, name)]

    def crun(self, *words):
        return ["crun", "--root", f"{self.folder}/state", "--cgroup-manager=disabled", *words]

    def view(self):
        kind = subprocess.run(["stat", "-fc", "%T", "/sys/fs/cgroup"], capture_output=True, text=True).stdout.strip()
        if kind == "cgroup2fs":
            return []
        return ["unshare", "--mount", *([] if self.is_root else ["--map-root-user"]), "sh", "-c", ONE_KIND_OF_GROUPS, "sh"]

    def by_chroot(self, words, _):
        process = self.settings["process"]
        user = f"{process['user']['uid']}:{process['user']['gid']}"
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child=TERM", *([] if self.is_root else ["--map-root-user"]),
                "env", "-i", *process["env"], "bash", "-c", CHROOT, "bash", f"{self.folder}/rootfs", user, process["cwd"],
                *self.entrypoint, *words]

    @property
    def entrypoint(self):
        return ["/usr/bin/carbontube"]


def new_folder():
    return tempfile.TemporaryDirectory(prefix="carbontube-image-", ignore_cleanup_errors=True)
