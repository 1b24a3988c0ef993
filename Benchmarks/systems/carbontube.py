"""CarbonTube with one of its stores, at the work of docs/performance.md or at a larger form of it."""

import functools
import json
import os
import subprocess
import time

import redis_server
from carbontube_client import Client
from system import ROOT, System


def no_op_library(folder, phases=3, sleep_us=0):
    library = f"{folder}/libNoOp.so"
    subprocess.run([
        "gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now", f"-DPHASES={phases}",
        f"-DSLEEP_US={sleep_us}", f"-I{ROOT}/Sources/CPhaseABI/include", "-o", library,
        f"{ROOT}/Benchmarks/NoOp/no_op.c"], check=True)
    os.chmod(library, 0o755)
    return library


class CarbonTube(System):
    module, child, counts_probes = "carbontube_client", "PluginHost", True

    def __init__(self, store, phases=3, workers_per_phase=1, concurrency=1, sleep_us=0, checkout=ROOT):
        """`checkout` has the programs in its bin/."""
        super().__init__()
        self.store, self.name, self.programs = store, f"CarbonTube {store}", f"{checkout}/bin"
        self.phases, self.workers_per_phase, self.concurrency, self.sleep_us = phases, workers_per_phase, concurrency, sleep_us
        self.redis = None
        self.address = f"ipc://{self.processes.folder}/jobs"

    def environment(self):
        return super().environment() | {"BENCH_PROTOCOL": str(self.protocol)}

    @functools.cached_property
    def protocol(self):
        """That the programs speak; a build of before is to be measured by the same clients."""
        said = subprocess.run([f"{self.programs}/carbontube", "version", "--json"], capture_output=True, text=True, check=True)
        return json.loads(said.stdout)["wire_protocol"]

    def start(self):
        library = no_op_library(self.processes.folder, self.phases, self.sleep_us)
        events = f"ipc://{self.processes.folder}/events"
        storage = self._storage()
        self.processes.start("coordinator", [
            f"{self.programs}/carbontube", "pipeline", library, "no-op", f"--sub-bind={events}", f"--job-pull={self.address}",
            "--storage", storage, "--log-level=error"])
        for number in range(self.phases * self.workers_per_phase):
            # Workers of protocol 1 listen, where everything else is on ipc:// as well.
            listening = [f"--pull-bind=ipc://{self.processes.folder}/worker-{number}"] if self.protocol == 1 else []
            self.processes.start("worker", [
                f"{self.programs}/carbontube", "phase", library, f"no-op-{number % self.phases + 1}", f"--sub-connect={events}",
                "--concurrency", str(self.concurrency), "--log-level=error", *listening])
        self.control = Client(self.address, self.protocol)
        while len(self.status()["workers"]) < self.phases * self.workers_per_phase:
            time.sleep(0.05)

    def _storage(self):
        if self.store == "sqlite":
            return f"sqlite:{self.processes.folder}/jobs.db"
        if self.store == "redis":
            path = redis_server.start(self.processes)
            self.redis = redis_server.Connection(path)
            return f"redis+unix://{path}"
        return "memory:"

    def status(self):
        code, message, status, _ = self.control.request("status")
        assert code == 0, message
        return status

    def finished(self):
        return self.phase_runs()[-1]

    def phase_runs(self):
        """Of each phase; `totals` is cheaper for the coordinator to answer than `status`."""
        return [phase["succeeded"] for phase in self.control.request("totals")[2]["phases"]]

    def hold(self):
        assert self.control.request("pause")[0] == 0
        if self.redis:
            self.redis.ask("CONFIG", "RESETSTAT")

    def release(self):
        assert self.control.request("resume")[0] == 0

    def own_figures(self, jobs):
        """Commands to Redis from enqueueing to the end, those inside its functions too."""
        return {"redis_commands_per_job": self.redis.calls() / jobs} if self.redis else {}

    def end(self):
        if hasattr(self, "control"):
            self.control.close()
        super().end()


def idle(store):
    """The coordinator and its workers with nothing to do."""
    system = CarbonTube(store)
    try:
        system.start()
        before = system.processes.cpu_by_role()["coordinator"]
        time.sleep(5)
        after = system.processes.cpu_by_role()["coordinator"]
        return {"idle_cpu_percent": (after - before) / 5 * 100, "idle_mib": system.processes.peak_by_role()["coordinator"]}
    finally:
        system.end()
