"""How long a kill holds a job up."""

import os
import signal
import statistics
import time

from cluster import PHASES, Cluster, unfinished, wire
from machinery import children_of


class Recovery:
    """How long each kind of kill holds a job up."""

    def __init__(self, options):
        self.cluster = Cluster(options, workers_per_phase=1)
        self.pipeline = self.cluster.pipelines[0]
        self.count, self.next = options.recovery, 0
        # The phases run one job each at a time more than is waited for, so that there is somebody to take over.
        self.spare = self.cluster.service("spare", self.cluster.worker_command(PHASES[0]))

    def enqueue(self, instructions, priority=0):
        self.next += 1
        job = (f"r-{self.next}", instructions, priority)
        while True:
            client = wire.Client(self.pipeline.address, self.pipeline.name, timeout_ms=200)
            try:
                if client.enqueue([job])[0][0] in (0, 1):
                    return job[0]
            except wire.NoAnswer:
                pass
            finally:
                client.close()

    def line(self, what, job, attempt=None, after=0.0):
        """Waits for a line of the ledger; returns its process and its time."""
        while True:
            self.cluster.keep_alive()
            if os.path.exists(f"{self.cluster.folder}/ledger"):
                with open(f"{self.cluster.folder}/ledger") as ledger:
                    for line in ledger:
                        kind, name, _, number, process, at = line.split()
                        if (kind, name) == (what, job) and int(at) >= after and attempt in (None, int(number)):
                            return int(process), int(at)
            time.sleep(0.002)

    def owner(self, child):
        return next(w for w in self.cluster.workers + [self.spare]
                    if any(child in children_of(guard) for guard in w.children()))

    def of_child(self):
        job = self.enqueue('{"sleep_ms":300}')
        child, _ = self.line("B", job, attempt=1)
        at = time.time() * 1000
        os.kill(child, signal.SIGKILL)
        return self.line("B", job, attempt=2)[1] - at

    def of_worker(self):
        job = self.enqueue('{"sleep_ms":300}')
        child, _ = self.line("B", job, attempt=1)
        worker = self.owner(child)
        at = time.time() * 1000
        worker.signal(signal.SIGKILL)
        return self.line("B", job, attempt=2)[1] - at

    def of_service(self, service):
        at = time.time() * 1000
        service.kill()
        service.keep_alive()
        return self.line("B", self.enqueue("{}", priority=7), after=at)[1] - at

    def run(self):
        cluster = self.cluster
        kinds = [("PluginHost child", self.of_child), ("worker", self.of_worker),
                 ("coordinator", lambda: self.of_service(self.pipeline.coordinator))]
        if cluster.redis:
            kinds.append(("redis-server", lambda: self.of_service(cluster.redis)))
        print(f"recovery on {cluster.options.store}: milliseconds from kill -9 until a job (of the killed, or a new one) begins")
        for name, measure in kinds:
            times = []
            for _ in range(self.count):
                cluster.await_status(lambda s: unfinished(s) == 0 and len(s["workers"]) >= len(cluster.workers) + 1)
                times.append(measure())
            print(f"{name:20} median {statistics.median(times):6.0f}   worst {max(times):6.0f}   of {len(times)}")
        return 0
