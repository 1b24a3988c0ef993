"""The package that goes into an image: CARBONTUBE_PACKAGE, or one made here of what scripts/build has built."""

import functools
import os
import re
import shutil
import subprocess
import tempfile

import installed_tree


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def libraries(program):
    return re.findall(r"=> (/\S+)", output("ldd", program))


@functools.cache
def scratch():
    """Removed at the end of the run."""
    return tempfile.TemporaryDirectory(prefix="carbontube-package-")


@functools.cache
def package():
    """Swift's runtime is brought along at the place where the programs look for it; all else are dependencies."""
    if os.environ.get("CARBONTUBE_PACKAGE"):
        return os.environ["CARBONTUBE_PACKAGE"]
    folder = scratch().name
    tree = f"{folder}/tree"
    os.mkdir(tree)
    installed_tree.install(tree, units=False)
    needed = set()
    for name in ["usr/bin/carbontube", "usr/bin/carbontube-plugin-host"] + [
            f"usr/lib/carbontube/plugins/{name}" for name in os.listdir(f"{tree}/usr/lib/carbontube/plugins")]:
        needed.update(libraries(f"{tree}/{name}"))
    depends = set()
    for library in needed:
        if "/swift/" in library:
            os.makedirs(tree + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, tree + library)
        else:
            depends.add(output("dpkg-query", "-S", f"*/{os.path.basename(library)}").splitlines()[0].split(":")[0])
    os.mkdir(f"{tree}/DEBIAN")
    with open(f"{tree}/DEBIAN/control", "w") as file:
        file.write("Package: carbontube\nVersion: 0.1.0~tried+1\nMaintainer: nobody <nobody@example.org>\n"
                   f"Architecture: {output('dpkg', '--print-architecture').strip()}\n"
                   f"Depends: {', '.join(sorted(depends))}\nDescription: for a test\n")
    path = f"{folder}/carbontube.deb"
    output("dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, path)
    return path
