"""The counts in instruction-counts.json, and what a new count says beside them.

A count that is too low fails as one that is too high does. A gain that nobody writes down is room for as great a loss that
nobody sees; written down in the commit that made it, the file is a history of what each change was worth.
"""

import json
import os
import platform
import re
import subprocess

import zmq

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instruction-counts.json")
# Runs differ by 1 %, on a machine with four times as much to do as it has cores by 2 %.
TOLERANCE_PERCENT = 3
# One job at a time through a store with threads or a server of its own: how often the loop is woken depends on who is quicker,
# and the path of the database is looked at in each turn. Counted over builds and folders: 741,000 to 783,000 with SQLite.
OWN_TOLERANCES_PERCENT = {"sqlite single": 8, "redis single": 5}
# Another compiler or another libzmq moves the counts by some per cent without any change here.
ELSEWHERE_PERCENT = 25


def environment(program):
    """Whatever moves the counts and is not in this repository."""
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout

    def library(name):
        found = re.search(rf"{name}\.so\S* => (\S+)", linked)
        return os.path.basename(os.path.realpath(found[1])) if found else "none"

    return {"machine": platform.machine(), "libc": os.confstr("CS_GNU_LIBC_VERSION"),
            "swift": re.search(r"Swift version (\S+)", swift)[1], "valgrind": valgrind.strip().removeprefix("valgrind-"),
            "libzmq": zmq.zmq_version(), "hiredis": library("libhiredis"), "simdjson": library("libsimdjson")}


def load(path=FILE):
    """Nothing kept yet is a file in which everything is missing: all of it is to be recorded."""
    if not os.path.exists(path):
        return {"tolerance_percent": TOLERANCE_PERCENT, "elsewhere_percent": ELSEWHERE_PERCENT, "made_with": {},
                "instructions_per_job": {}}
    with open(path) as file:
        return json.load(file)


def record(counts, made_with, path=FILE):
    """Rounded: digits below the spread would make every record a change of every line."""
    rounded = {name: round(int(count), -2 if count < 1_000_000 else -3) for name, count in counts.items()}
    kept = {"tolerance_percent": TOLERANCE_PERCENT, "elsewhere_percent": ELSEWHERE_PERCENT, "made_with": made_with,
            "instructions_per_job": rounded}
    with open(path, "w") as file:
        json.dump(kept, file, indent=2)
        file.write("\n")


def differences(kept, here):
    """Of the environments, a line each."""
    return [f"{name} {kept['made_with'].get(name)} there, {value} here" for name, value in here.items()
            if kept["made_with"].get(name) != value]


def compare(kept, counts, elsewhere):
    """Rows of (name, count, kept, per cent, verdict), verdict being "ok", "more", "less" or "not kept"."""
    rows = []
    for name, count in counts.items():
        own = OWN_TOLERANCES_PERCENT.get(name, kept["tolerance_percent"])
        tolerance = kept["elsewhere_percent"] if elsewhere else own
        before = kept["instructions_per_job"].get(name)
        if before is None:
            rows.append((name, count, None, None, "not kept"))
            continue
        percent = (count / before - 1) * 100
        # Elsewhere a lower count may be the other compiler's merit, and cannot be recorded.
        verdict = "more" if percent > tolerance else "less" if percent < -tolerance and not elsewhere else "ok"
        rows.append((name, count, before, percent, verdict))
    return rows
