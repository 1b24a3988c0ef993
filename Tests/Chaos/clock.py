"""The wall clock of one machine, which a test may set: a preload adds an offset to CLOCK_REALTIME and to nothing else."""

import mmap
import os
import struct
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Fixtures/ClockShift/clock_shift.c")
HOUR_MS = 3_600_000


def preload(folder):
    """The library to preload, built once a folder."""
    library = f"{folder}/libClockShift.so"
    if not os.path.exists(library):
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        os.chmod(library, 0o755)
    return library


class WallClock:
    """Of all processes that run with its `environment`; right until it is set."""

    def __init__(self, folder, name):
        path = f"{folder}/clock-{name}"
        with open(path, "wb") as file:
            file.write(bytes(8))
        self.environment = {"LD_PRELOAD": preload(folder), "CLOCK_SHIFT_FILE": path}
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 8)

    def set(self, milliseconds):
        """So much ahead of the right time from now on, or behind it."""
        self.memory[:8] = struct.pack("<q", milliseconds)
