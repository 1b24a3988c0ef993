"""Where the time of each kind of process goes while jobs run: perf's samples by function and by library, what a job costs,
and its system calls."""

import os
import re
import signal
import subprocess
import time

from carbontube import CarbonTube
from measurement import Progress
from processes import cpu_seconds

# Some seconds of work, so that there are thousands of samples.
FULL_JOBS = {"memory": 150_000, "sqlite": 60_000, "redis": 40_000}
IDLE_JOBS = 1_000
# So that every thread is asleep when the next job comes.
IDLE_PAUSE = 0.005
# At idle the processes sleep nearly always.
SAMPLES_PER_SECOND = {"full": 999, "idle": 7_999}
UNNAMED = "(functions without names)"


class NotPermitted(Exception):
    """In words for whoever started the profile."""


def kinds(system):
    found = {}
    for name, process in system.processes.by_role():
        found.setdefault(name, []).append(process)
    return found


class Load:
    """Jobs that are run when it is told to, and then are known to have ended well."""

    def __init__(self, system, load, jobs):
        self.system, self.load = system, load
        self.jobs = jobs or (FULL_JOBS[system.store] if load == "full" else IDLE_JOBS)
        self.begun = system.finished()
        if load == "full":
            system.hold()
            system.control.enqueue(self.jobs)

    def run(self):
        if self.load == "full":
            self.system.release()
        else:
            for _ in range(self.jobs):
                self.system.control.run_one()
                time.sleep(IDLE_PAUSE)
        Progress(self.system.finished).until(lambda count: count == self.begun + self.jobs, 0.1)


def switches(process):
    """Voluntary and forced context switches of all threads there are."""
    counts = [0, 0]
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/status") as file:
            found = re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)", file.read(), re.MULTILINE)
        counts = [sum(pair) for pair in zip(counts, map(int, found))]
    return counts


def costs(processes):
    return [sum(cpu_seconds(process) for process in processes)] + [
        sum(column) for column in zip(*(switches(process) for process in processes))]


def spent_on(work, groups):
    """Without perf, which costs more than a job that comes alone."""
    before = {name: costs(processes) for name, processes in groups.items()}
    work.run()
    return {name: [after - start for after, start in zip(costs(processes), before[name])]
            for name, processes in groups.items()}


class Watchers:
    """A perf or strace for each kind of process, from before the work to its end."""

    def __init__(self, commands):
        self.commands, self.running = commands, {}

    def __enter__(self):
        for name, command in self.commands.items():
            self.running[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        # Until they are attached.
        time.sleep(1)
        for name, watcher in self.running.items():
            if watcher.poll() is not None:
                said = watcher.stderr.read().strip()
                self.__exit__()
                raise NotPermitted(f"{self.commands[name][0]} does not watch {name}: {said}")
        return self

    def __exit__(self, *_):
        for watcher in self.running.values():
            if watcher.poll() is None:
                watcher.send_signal(signal.SIGINT)
        for watcher in self.running.values():
            watcher.communicate()


def sampled(store, load, jobs=None):
    """By kind of process: (rows of perf, what it cost); and how many jobs there were."""
    system = CarbonTube(store)
    try:
        system.start()
        groups = kinds(system)
        spent = spent_on(Load(system, load, jobs), groups)
        work = Load(system, load, jobs)
        samples = {name: f"{system.processes.folder}/{name}.perf" for name in groups}
        commands = {name: ["perf", "record", "-q", "-F", str(SAMPLES_PER_SECOND[load]), "-o", samples[name], "-p",
                           ",".join(map(str, processes))] for name, processes in groups.items()}
        with Watchers(commands):
            work.run()
        return {name: (rows(samples[name]), spent[name]) for name in groups}, work.jobs
    finally:
        system.end()


def output(command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def rows(path):
    """(share in per cent, library, function), the greatest first."""
    report = output(["perf", "report", "-i", path, "--stdio", "--no-children", "-F", "period,dso,symbol", "-t", "\t"])
    readable = output(["swift", "demangle", "--simplified"], report)
    # Weighed by period: perf takes samples at another pace while a process wakes up.
    weights = {}
    for line in readable.splitlines():
        columns = line.split("\t")
        if line.startswith("#") or len(columns) != 3:
            continue
        key = library(columns[1].strip()), shortened(columns[2].strip())
        weights[key] = weights.get(key, 0) + int(columns[0])
    total = sum(weights.values()) or 1
    return sorted(((weight * 100 / total, *key) for key, weight in weights.items()), reverse=True)


def library(name):
    # Debian's redis-server is a link to a program of many names.
    if name.startswith("redis-"):
        return "redis-server"
    return "kernel" if name.startswith("[kernel") or name == "[unknown]" else re.sub(r"\.so.*", "", name)


def shortened(symbol):
    name = re.sub(r"^\[.\] ", "", symbol)
    if re.fullmatch(r"0x[0-9a-f]+", name):
        return UNNAMED
    if " for " in name or " in " in name or " of " in name:
        name = re.sub(r"\b(generic )?(specialized|specialization <.*?> of|partial apply for|merged|static) ?", "", name)
        name = re.sub(r"closure #\d+ (\(.*?\) )?(-> \S+ )?in ", "closure in ", name)
    name = re.sub(r"^(generic )?specialized ", "", name)
    while (inner := re.sub(r"<[^<>]*>|\([^()]*\)", "", name)) != name:
        name = inner
    return name.replace("swift::", "").strip()[:64] or symbol[:64]


def system_calls(store, load, jobs):
    """By kind of process: (calls, name), the most first; and how many jobs there were."""
    system = CarbonTube(store)
    try:
        system.start()
        groups = kinds(system)
        work = Load(system, load, jobs)
        commands = {name: ["strace", "-f", "-c", "-U", "calls,name", "-o", f"{system.processes.folder}/{name}.calls"]
                    + [word for process in processes for word in ("-p", str(process))] for name, processes in groups.items()}
        with Watchers(commands):
            work.run()
        return {name: call_rows(f"{system.processes.folder}/{name}.calls") for name in groups}, work.jobs
    finally:
        system.end()


def call_rows(path):
    with open(path) as file:
        found = re.findall(r"^\s*(\d+)\s+([a-z]\w*)\s*$", file.read(), re.MULTILINE)
    return sorted(((int(count), name) for count, name in found if name != "total"), reverse=True)
