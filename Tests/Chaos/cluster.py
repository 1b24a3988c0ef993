"""Everything that chaos is made in, as real processes."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from clock import WallClock
from machinery import Namespace, Service, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "Tests/EndToEndTests/Resources"))
import wire  # noqa: E402

# Longer than anything here may take: the longest fault, a key of Redis that must lapse, a silent worker that is given up.
STUCK_AFTER = 120
PHASES = ["ledger-1", "ledger-2", "ledger-3"]


class Pipeline:
    """A coordinator with a store of its own."""

    def __init__(self, cluster, name):
        self.name, self.jobs, self.events = name, free_port(), free_port()
        self.address = f"tcp://127.0.0.1:{self.jobs}"
        # Redis keeps a pipeline's keys under its name, so that one server has the stores of both.
        storage = f"redis+unix://{cluster.folder}/redis.sock" if cluster.redis else f"sqlite:{cluster.folder}/{name}.db"
        host = "*" if cluster.namespace else "127.0.0.1"
        self.coordinator = cluster.service(f"coordinator-{name}", [
            f"{ROOT}/bin/carbontube", "pipeline", cluster.library, name, f"--sub-bind=tcp://{host}:{self.events}",
            f"--job-pull=tcp://{host}:{self.jobs}", "--storage", storage, "--keep-finished=10000000",
        ])

    def job(self, number):
        """The id of a job, which no other pipeline's job has."""
        return f"{self.name}-{number:07}"

    def status(self):
        """None while the coordinator is away."""
        client = wire.Client(self.address, self.name, timeout_ms=2_000)
        try:
            code, _, document, _ = client.request("status")
            return document if code == 0 and document["store"]["state"] == "open" else None
        except wire.NoAnswer:
            return None
        finally:
            client.close()


class Cluster:
    """Coordinators, workers for three phases (some in a network namespace of their own where the machine allows one), and
    redis-server. With `shared` two pipelines have the same workers, and one worker more is never ready. With `clock_steps`
    the wall clocks of both machines can be set."""

    def __init__(self, options, workers_per_phase=2):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="carbontube-chaos-")
        os.chmod(self.folder, 0o755)
        self.clocks = {name: WallClock(self.folder, name) for name in ("here", "there")} if options.clock_steps else {}
        self.library = self.build_plugin("ledger.c", "libLedger.so")
        self.namespace = Namespace() if os.geteuid() == 0 else None
        if self.namespace and not self.namespace.works:
            self.namespace = None
        self.services, self.workers, self.redis = [], [], None
        if options.store == "redis":
            self.redis = self.service("redis", self.redis_command(), self.await_redis)
        names = ["ledger", "ledger-two"] if options.shared else ["ledger"]
        self.pipelines = [Pipeline(self, name) for name in names]
        for phase in PHASES:
            for number in range(workers_per_phase):
                self.workers.append(self.service(f"{phase}-{number}", self.worker_command(phase)))
            if self.namespace and workers_per_phase > 1:
                self.workers.append(self.service(f"{phase}-remote", self.worker_command(phase, remote=True), clock="there"))
        self.never_ready = self.start_never_ready() if options.shared else None

    def start_never_ready(self):
        """Kept out of `workers`: faults are for those whose jobs they could cost."""
        folder = f"{self.folder}/never-ready"
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        self.build_plugin("never_ready.c", "never-ready/libNeverReady.so")
        return self.service("never-ready", [
            f"{ROOT}/bin/carbontube", "phase", "--plugin-dir", folder, "--all", "--concurrency", "2",
            "--ready-timeout", "0.3"] + self.meeting_points("127.0.0.1"))

    def build_plugin(self, source, name):
        library = f"{self.folder}/{name}"
        subprocess.run(
            ["gcc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now",
             f"-I{ROOT}/Sources/CPhaseABI/include", "-o", library, f"{ROOT}/Tests/Fixtures/LedgerPlugin/{source}"],
            check=True,
        )
        os.chmod(library, 0o755)
        return library

    def redis_command(self):
        return ["redis-server", "--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--dir", self.folder,
                "--save", "", "--appendonly", "yes", "--appendfsync", self.options.fsync]

    def await_redis(self):
        while subprocess.run(["redis-cli", "-s", f"{self.folder}/redis.sock", "ping"], capture_output=True,
                             text=True).stdout.strip() != "PONG":
            time.sleep(0.02)

    def worker_command(self, phase, remote=False):
        command = [f"{ROOT}/bin/carbontube", "phase", self.library, phase, "--concurrency", "2"]
        if not remote:
            return command + self.meeting_points("127.0.0.1")
        return ["ip", "netns", "exec", self.namespace.name] + command + self.meeting_points(self.namespace.here)

    def meeting_points(self, host):
        return [f"--sub-connect=tcp://{host}:{pipeline.events}" for pipeline in self.pipelines]

    def service(self, name, command, ready=None, clock="here"):
        environment = self.clocks[clock].environment if self.clocks else {}
        service = Service(name, command, self.folder, ready, environment)
        self.services.append(service)
        return service

    def keep_alive(self):
        for service in self.services:
            service.keep_alive()

    def status(self):
        """Of each pipeline; None while one of their coordinators is away."""
        found = [pipeline.status() for pipeline in self.pipelines]
        return found if all(found) else None

    def await_status(self, fits):
        """Until every pipeline's status fits."""
        while True:
            self.keep_alive()
            found = self.status()
            if found and all(map(fits, found)):
                return found
            time.sleep(0.05)

    def await_end(self):
        """Until no job waits or runs, or for too long none has ended, which is for the audit to tell."""
        left, since = None, time.monotonic()
        while left != 0 and time.monotonic() - since < STUCK_AFTER:
            self.keep_alive()
            found = self.status()
            now = sum(map(unfinished, found)) if found else left
            if now != left:
                left, since = now, time.monotonic()
            time.sleep(0.05)

    def end(self):
        for service in reversed(self.services):
            service.end()
        if self.namespace:
            self.namespace.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def unfinished(status):
    return sum(phase["waiting"] + phase["delayed"] + phase["running"] for phase in status["phases"])
