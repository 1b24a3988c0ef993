"""The package that the tests install, made once of what scripts/build has built."""

import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import installed_tree


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@functools.cache
def scratch():
    """Removed at the end of the run."""
    folder = tempfile.mkdtemp(prefix="carbontube-package-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return pathlib.Path(folder)


@functools.cache
def packages(*options):
    """{"carbontube": path, "carbontube-dbgsym": path} of scripts/package with these options."""
    folder = scratch() / str(len(options))
    # Fast rather than small.
    environment = dict(os.environ, DPKG_DEB_COMPRESSOR_TYPE="gzip", DPKG_DEB_COMPRESSOR_LEVEL="1")
    done = subprocess.run(
        [f"{installed_tree.ROOT}/scripts/package", "--no-build", *options, folder], env=environment, capture_output=True,
        text=True)
    if done.returncode:
        raise AssertionError(f"scripts/package ended with {done.returncode}: {done.stdout}{done.stderr}")
    return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}


def package():
    return str(packages()["carbontube"])
