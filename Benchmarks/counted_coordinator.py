"""Instructions that one job through its three phases costs the coordinator, counted by callgrind.

The clients and workers are scripted and move one step at a time, so every run puts the same messages into the same turns.
Everything that would make two runs differ and is not the coordinator's doing is pinned.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from carbontube import no_op_library
from carbontube_client import wire
from process_descriptors import ProcessDescriptors
from scripted_workers import ScriptedWorker, Silence
from system import INSTRUCTIONS, ROOT

# What the loader, libc and simdjson choose by the processor, chosen alike on every one; and hashes without a random seed,
# since collisions in dictionaries cost instructions.
PINNED = {
    "SWIFT_DETERMINISTIC_HASHING": "1",
    "SIMDJSON_FORCE_IMPLEMENTATION": "westmere",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-AVX_Fast_Unaligned_Load",
    "LD_BIND_NOW": "1",
}
# Several short windows: what comes every few seconds (housekeeping) or once (a dictionary that doubles) is in some of them,
# and the median is of those without.
WINDOWS, IDLE_WINDOWS, IDLE_SECONDS = 9, 7, 0.6
# Jobs in one enqueue, and how often in one window.
CASES = {"single": (1, 20), "batch": (64, 3)}
WARM_UP = {"single": 60, "batch": 4}
# Jobs that a worker may have at a time: a whole batch.
LENT = 64
# Lets the coordinator come to rest in its poll before the next message; else it depends on how busy the machine is whether
# that message wakes it or is found by a turn that is still going on.
REST_SECONDS = 0.002
START_SECONDS = 60
# A machine so busy that the coordinator loses its ownership of Redis says nothing about the coordinator.
TRIALS = 3


class Disturbed(Exception):
    """The coordinator refused work."""


class CountedCoordinator:
    def __init__(self, store):
        self.folder = tempfile.mkdtemp(prefix="carbontube-counts-")
        os.chmod(self.folder, 0o755)
        self.programs, self.workers, self.client = [], [], None
        self.descriptors = ProcessDescriptors(self.folder)
        self.jobs = self.dumps = 0
        self.said_hello = time.monotonic()
        try:
            self._start(store)
        except BaseException:
            self.end()
            raise

    def _start(self, store):
        storage = {"memory": lambda: "memory:", "sqlite": lambda: f"sqlite:{self.folder}/db", "redis": self._redis}[store]()
        events, intake = f"ipc://{self.folder}/events", f"ipc://{self.folder}/jobs"
        self.coordinator = self._spawn(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/counts",
             # Threads take turns rather than race for valgrind's lock.
             "--fair-sched=yes", self._program(), "pipeline", no_op_library(self.folder), "no-op",
             f"--sub-bind={events}", f"--job-pull={intake}", "--storage", storage, "--log-level=error"],
            environment=os.environ | PINNED | self.descriptors.environment)
        self._await_file("jobs", self.coordinator)
        self.workers = [ScriptedWorker(phase, intake) for phase in ("no-op-1", "no-op-2", "no-op-3")]
        for worker in self.workers:
            worker.join(LENT)
        self.client = wire.Client(intake, "no-op", timeout_ms=START_SECONDS * 1000)

    def _redis(self):
        server = self._spawn(["redis-server", "--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--dir", self.folder,
                              "--save", "", "--appendonly", "no"])
        self._await_file("redis.sock", server)
        return f"redis+unix://{self.folder}/redis.sock"

    def _program(self):
        """A copy without debug information, some of which valgrind 3.19 cannot read; names of functions stay."""
        os.mkdir(f"{self.folder}/bin")
        subprocess.run(["strip", "--strip-debug", "-o", f"{self.folder}/bin/carbontube", f"{ROOT}/bin/carbontube"], check=True)
        shutil.copy(f"{ROOT}/bin/carbontube-plugin-host", f"{self.folder}/bin/")
        return f"{self.folder}/bin/carbontube"

    def _spawn(self, command, environment=None):
        with open(f"{self.folder}/log", "a") as log:
            self.programs.append(subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=environment))
        return self.programs[-1]

    def _await_file(self, name, program):
        give_up = time.monotonic() + START_SECONDS
        while not os.path.exists(f"{self.folder}/{name}"):
            if program.poll() is not None or time.monotonic() > give_up:
                with open(f"{self.folder}/log") as log:
                    raise Silence(f"{program.args[0]} did not start:\n{log.read()}")
            time.sleep(0.02)

    def _say_hello_when_due(self):
        if time.monotonic() - self.said_hello >= 1:
            self.said_hello = time.monotonic()
            for worker in self.workers:
                worker.say_hello()

    def take_through(self, size):
        """`size` jobs in one enqueue through all phases; returns when the last outcome is acknowledged."""
        self._say_hello_when_due()
        names = [f"job-{self.jobs + index:08}" for index in range(size)]
        self.jobs += size
        replies = self.client.enqueue([(name, INSTRUCTIONS, 0) for name in names])
        for code, job, message in replies:
            if code != 0:
                raise Disturbed(f"{job}: {message}")
        for worker in self.workers:
            worker.take(size)
            time.sleep(REST_SECONDS)
            worker.report_all()
            worker.await_acknowledgement()
        time.sleep(REST_SECONDS)

    def count(self, work):
        """Instructions and seconds from the last count to the end of `work`."""
        start = time.monotonic()
        work()
        self.dumps += 1
        subprocess.run(["vgdb", f"--pid={self.coordinator.pid}", "dump"], check=True, capture_output=True)
        with open(f"{self.folder}/counts.{self.dumps}") as dump:
            total = re.search(r"^totals: (\d+)", dump.read(), re.MULTILINE)
        return int(total[1]), time.monotonic() - start

    def _repeat(self, size, times):
        for _ in range(times):
            self.take_through(size)

    def _rest(self):
        until = time.monotonic() + IDLE_SECONDS
        while time.monotonic() < until:
            self._say_hello_when_due()
            time.sleep(0.05)

    def instructions_per_job(self):
        """By case. What the coordinator does while nothing happens (ticks, hellos, heartbeats) is subtracted by the
        time that the window took, so that a slow machine counts the same."""
        for case, (size, _) in CASES.items():
            self._repeat(size, WARM_UP[case])
        self.count(self._rest)
        # Not the median: housekeeping reaches into nearly half of the windows.
        rests = [self.count(self._rest) for _ in range(IDLE_WINDOWS)]
        idle = sorted(count / seconds for count, seconds in rests)[IDLE_WINDOWS // 3]
        found = {}
        for case, (size, times) in CASES.items():
            windows = [self.count(lambda: self._repeat(size, times)) for _ in range(WINDOWS)]
            found[case] = statistics.median((count - idle * seconds) / (size * times) for count, seconds in windows)
        return found

    def end(self):
        for party in self.workers + ([self.client] if self.client else []):
            party.close()
        for program in reversed(self.programs):
            program.kill()
            program.wait()
        self.descriptors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def instructions_per_job(store):
    for _ in range(TRIALS):
        coordinator = CountedCoordinator(store)
        try:
            return coordinator.instructions_per_job()
        except Disturbed as disturbance:
            print(f"counted again: {disturbance}", file=sys.stderr)
        finally:
            coordinator.end()
    raise Silence(f"disturbed {TRIALS} times; the machine is too busy to count")
