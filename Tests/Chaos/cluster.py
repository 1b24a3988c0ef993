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

PHASES = ["ledger-1", "ledger-2", "ledger-3"]


class Cluster:
    """A coordinator, workers for three phases (some in a network namespace of their own where the machine allows one), and
    redis-server. With `clock_steps` the wall clocks of both machines can be set."""

    def __init__(self, options, workers_per_phase=2):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="carbontube-chaos-")
        os.chmod(self.folder, 0o755)
        self.clocks = {name: WallClock(self.folder, name) for name in ("here", "there")} if options.clock_steps else {}
        self.library = self.build_plugin()
        self.namespace = Namespace() if os.geteuid() == 0 else None
        if self.namespace and not self.namespace.works:
            self.namespace = None
        self.services, self.workers, self.redis = [], [], None
        self.jobs, self.events = free_port(), free_port()
        self.address = f"tcp://127.0.0.1:{self.jobs}"
        storage = f"sqlite:{self.folder}/jobs.db"
        if options.store == "redis":
            self.redis = self.service("redis", self.redis_command(), self.await_redis)
            storage = f"redis+unix://{self.folder}/redis.sock"
        host = "*" if self.namespace else "127.0.0.1"
        self.coordinator = self.service("coordinator", [
            f"{ROOT}/bin/carbontube", "pipeline", self.library, "ledger", f"--sub-bind=tcp://{host}:{self.events}",
            f"--job-pull=tcp://{host}:{self.jobs}", "--storage", storage, "--keep-finished=10000000",
        ])
        for phase in PHASES:
            for number in range(workers_per_phase):
                self.workers.append(self.service(f"{phase}-{number}", self.worker_command(phase)))
            if self.namespace and workers_per_phase > 1:
                self.workers.append(self.service(f"{phase}-remote", self.worker_command(phase, remote=True), clock="there"))

    def build_plugin(self):
        library = f"{self.folder}/libLedger.so"
        subprocess.run(
            ["gcc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now",
             f"-I{ROOT}/Sources/CPhaseABI/include", "-o", library, f"{ROOT}/Tests/Fixtures/LedgerPlugin/ledger.c"],
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
            return command + [f"--sub-connect=tcp://127.0.0.1:{self.events}"]
        return ["ip", "netns", "exec", self.namespace.name] + command + [
            f"--sub-connect=tcp://{self.namespace.here}:{self.events}"]

    def service(self, name, command, ready=None, clock="here"):
        environment = self.clocks[clock].environment if self.clocks else {}
        service = Service(name, command, self.folder, ready, environment)
        self.services.append(service)
        return service

    def keep_alive(self):
        for service in self.services:
            service.keep_alive()

    def status(self):
        """None while the coordinator is away."""
        client = wire.Client(self.address, "ledger", timeout_ms=2_000)
        try:
            code, _, document, _ = client.request("status")
            return document if code == 0 and document["store"]["state"] == "open" else None
        except wire.NoAnswer:
            return None
        finally:
            client.close()

    def await_status(self, fits):
        while True:
            self.keep_alive()
            status = self.status()
            if status and fits(status):
                return status
            time.sleep(0.05)

    def end(self):
        for service in reversed(self.services):
            service.end()
        if self.namespace:
            self.namespace.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def unfinished(status):
    return sum(phase["waiting"] + phase["delayed"] + phase["running"] for phase in status["phases"])
