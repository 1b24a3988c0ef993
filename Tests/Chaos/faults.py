"""What goes wrong, at random moments."""

import collections
import os
import random
import signal
import time

from clock import HOUR_MS
from machinery import children_of


class Chaos:
    """Random faults until `over`; everything that was stopped or cut runs again at the end."""

    def __init__(self, cluster, seed):
        self.cluster, self.random = cluster, random.Random(seed)
        self.counts, self.healing = collections.Counter(), []

    def faults(self):
        cluster = self.cluster
        faults = [("kill -9 guard", lambda: self.kill(self.guard())), ("kill -9 plugin", lambda: self.kill(self.plugin())),
                  ("stop guard", lambda: self.stop(self.guard())), ("stop plugin", lambda: self.stop(self.plugin())),
                  ("kill -9 worker", self.kill_worker), ("stop worker", self.stop_worker),
                  ("kill -9 coordinator", lambda: self.coordinator().kill()),
                  ("stop coordinator", lambda: self.stop(self.coordinator().process.pid))]
        if cluster.redis:
            faults += [("kill -9 redis-server", cluster.redis.kill),
                       ("stop redis-server", lambda: self.stop(cluster.redis.process.pid))]
        if cluster.namespace:
            faults.append(("network cut", self.cut))
        if cluster.clocks:
            faults += [("clock step", self.step_clock)] * 2
        return faults

    def step_clock(self):
        """By an hour or two, or back to the right time; of either machine."""
        self.random.choice(list(self.cluster.clocks.values())).set(self.random.choice([-HOUR_MS, 0, HOUR_MS]))

    def worker(self):
        return self.random.choice(self.cluster.workers)

    def coordinator(self):
        return self.random.choice(self.cluster.pipelines).coordinator

    def guard(self):
        """A child of a worker: what the worker waits for. None between two of them."""
        return self.any_of(self.worker().children())

    def plugin(self):
        """The child of a guard: the process that runs jobs."""
        guard = self.guard()
        return self.any_of(children_of(guard)) if guard else None

    def any_of(self, processes):
        return self.random.choice(processes) if processes else None

    def kill(self, process):
        self.send(process, signal.SIGKILL)

    def kill_worker(self):
        self.worker().kill()

    def stop_worker(self):
        self.stop(self.worker().process.pid)

    def stop(self, process):
        self.send(process, signal.SIGSTOP)
        self.later(lambda: self.send(process, signal.SIGCONT))

    @staticmethod
    def send(process, number):
        if process is None:
            return
        try:
            os.kill(process, number)
        except ProcessLookupError:
            pass

    def cut(self):
        self.cluster.namespace.cut(True)
        self.later(lambda: self.cluster.namespace.cut(False))

    def later(self, heal):
        self.healing.append((time.monotonic() + self.random.uniform(0.1, 4), heal))

    def heal(self, everything=False):
        now = time.monotonic()
        due = [entry for entry in self.healing if everything or entry[0] <= now]
        self.healing = [entry for entry in self.healing if entry not in due]
        for _, heal in due:
            heal()

    def run(self, over):
        faults = self.faults()
        next_fault = time.monotonic() + 1
        while not over():
            self.heal()
            self.cluster.keep_alive()
            if time.monotonic() >= next_fault:
                name, fault = self.random.choice(faults)
                fault()
                self.counts[name] += 1
                next_fault = time.monotonic() + self.random.uniform(0.1, 1.5)
            time.sleep(0.02)
        self.heal(everything=True)
