"""What a package puts below /usr, below another folder."""

import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = f"{ROOT}/scripts/systemd"


def install(root, units=True):
    """Of what scripts/build has built."""
    os.chmod(root, 0o755)
    for folder in ["usr/bin", "usr/lib/carbontube"]:
        os.makedirs(f"{root}/{folder}")
    for program in ["carbontube", "carbontube-plugin-host"]:
        shutil.copy(f"{ROOT}/bin/{program}", f"{root}/usr/bin/")
    shutil.copytree(f"{ROOT}/plugins", f"{root}/usr/lib/carbontube/plugins")
    if units:
        install_units(root)


def install_units(root):
    """Beside those of this machine, which they name."""
    os.makedirs(f"{root}/etc")
    shutil.copytree("/usr/lib/systemd/system", f"{root}/usr/lib/systemd/system", symlinks=True)
    for folder, kind in [("sysusers.d", "sysusers"), ("tmpfiles.d", "tmpfiles")]:
        os.makedirs(f"{root}/usr/lib/{folder}")
        shutil.copy(f"{UNITS}/{kind}.conf", f"{root}/usr/lib/{folder}/carbontube.conf")
    for name in os.listdir(UNITS):
        if name.endswith(".service"):
            shutil.copy(f"{UNITS}/{name}", f"{root}/usr/lib/systemd/system/")


def as_root(*words):
    """Root, or where this is not root a user namespace in which this user is."""
    prefix = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
    return subprocess.run([*prefix, *words], capture_output=True, text=True)


# ProtectSystem=strict and ProtectProc=invisible: everything read-only but the unit's folders, other users' processes unseen.
MOUNTS = """
while [ "$1" != -- ]; do mount --bind "$1" "$1" && shift || exit; done
shift
mount -o remount,bind,ro / && cd "$PWD" && mount -t proc -o hidepid=invisible proc /proc && exec "$@"
"""


def can_mount():
    """Whether a program can be given the mounts of its unit. That needs root, and a machine that lets root."""
    return os.geteuid() == 0 and as_root("unshare", "--mount", "sh", "-c", MOUNTS, "sh", "--", "true").returncode == 0


def as_service(folders):
    """The words that make a program one of a user without rights who may write to `folders` alone."""
    words = ["setpriv", "--no-new-privs"]
    if os.geteuid() == 0:
        words += ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    mounts = ["unshare", "--mount", "sh", "-c", MOUNTS, "sh", *folders, "--"] if can_mount() else []
    return mounts + words
