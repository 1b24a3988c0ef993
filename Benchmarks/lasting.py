"""Pipelines of jobs that last, their workers, and the ledger in which the jobs say when they ran."""

import dataclasses
import json
import os
import re
import subprocess
import time

import redis_server
from carbontube_client import Client, wire
from measurement import Progress
from processes import Processes, family
from system import HERE, ROOT

CARBONTUBE = f"{ROOT}/bin/carbontube"
NAMES = ("lasting-one", "lasting-two")


class Ledger:
    """What the jobs wrote, read on from where it was read last."""

    def __init__(self, path):
        self.file, self.rest, self.unread = open(path, "w+"), "", []
        # PluginHosts may run as another user.
        os.chmod(path, 0o666)

    def new_lines(self):
        """What, job, attempt, process and seconds since 1970 of each."""
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        for line in lines:
            what, job, attempt, process, at = line.split()
            yield what, job, int(attempt), int(process), int(at) / 1e6

    def next_line(self, job, patience=60):
        """What the job says next, its process and the time."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            while self.unread:
                kind, name, _, process, at = self.unread.pop(0)
                if name == job:
                    return kind, process, at
            self.unread += self.new_lines()
            time.sleep(0.001)
        raise RuntimeError(f"job {job}: no line within {patience} s")


class Scene:
    def __init__(self):
        self.processes, self.pipelines, self.workers = Processes("PluginHost"), [], []
        self.folder = self.processes.folder
        self.library, self.ledger = f"{self.folder}/libLasting.so", Ledger(f"{self.folder}/ledger")
        subprocess.run(
            ["gcc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now",
             f"-I{ROOT}/Sources/CPhaseABI/include", "-o", self.library, f"{HERE}/Lasting/lasting.c"], check=True)
        os.chmod(self.library, 0o755)

    def add_pipelines(self, store, count):
        redis = redis_server.start(self.processes) if store == "redis" else None
        for name in NAMES[:count]:
            storage = {"memory": "memory:", "sqlite": f"sqlite:{self.folder}/{name}.db", "redis": f"redis+unix://{redis}"}[store]
            self.pipelines.append(Pipeline(self, name, storage))

    def add_worker(self, machine, slots):
        meetings = [f"--sub-connect=tcp://{machine.here}:{pipeline.events}" for pipeline in self.pipelines]
        program = self.processes.start("worker", [
            *machine.within, CARBONTUBE, "phase", self.library, "last", "--concurrency", str(slots), "--log-level=error",
            "--env", f"LEDGER={self.folder}/ledger", *meetings])
        self.workers.append(Worker(program, machine, slots))

    def worker_of(self, process):
        """Whose child it is, or whose child's child."""
        return next(worker for worker in self.workers if process in family(worker.program.pid))

    def replace(self, worker):
        """Another one on the same machine, after it was killed."""
        worker.program.wait()
        self.processes.forget(worker.program)
        self.workers.remove(worker)
        self.add_worker(worker.machine, worker.slots)

    def await_workers(self):
        """Until they take jobs of each pipeline, and none is there that has ended."""
        for pipeline in self.pipelines:
            Progress(pipeline.serving, patience=60).until(lambda count: count == len(self.workers), 0.01)

    def end(self):
        for pipeline in self.pipelines:
            pipeline.client.close()
        self.processes.end()


@dataclasses.dataclass
class Worker:
    program: subprocess.Popen
    machine: object
    slots: int


class Pipeline:
    def __init__(self, scene, name, storage):
        program = scene.processes.start("coordinator", [
            CARBONTUBE, "pipeline", scene.library, name, "--sub-bind=tcp://*:*", "--job-pull=tcp://*:*", "--storage", storage,
            "--log-level=error"], stdout=subprocess.PIPE)
        said = next(found for line in program.stdout
                    if (found := re.search(r"jobs tcp://\S+:(\d+), workers tcp://\S+:(\d+)", line.decode())))
        self.name, self.events = name, int(said[2])
        self.address = f"tcp://127.0.0.1:{said[1]}"
        self.client = self.connect()

    def connect(self):
        """A client of it; each belongs to one thread."""
        client = Client(self.address)
        client.pipeline = self.name
        return client

    def enqueue(self, job, milliseconds, priority=0):
        """One job that tells when it runs."""
        ((code, _, message),) = wire.Client.enqueue(self.client, [(job, self._instructions(milliseconds, True), priority)])
        if code:
            raise RuntimeError(f"job {job}: {message}")

    def fill(self, client, count, milliseconds, is_told=False):
        """So many jobs whose ids the coordinator makes."""
        client.enqueue(count, self._instructions(milliseconds, is_told).encode())

    @staticmethod
    def _instructions(milliseconds, is_told):
        return json.dumps({"ms": milliseconds, "told": is_told}, separators=(",", ":"))

    def status(self):
        code, message, status, _ = self.client.request("status")
        assert code == 0, message
        return status

    def serving(self):
        return sum(worker["state"] == "serving" for worker in self.status()["workers"])
