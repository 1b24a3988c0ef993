"""What goes wrong, at random moments."""

import collections
import os
import random
import signal
import time

from clock import HOUR_MS


class Chaos:
    """Random faults until `over`; everything that was stopped or cut runs again at the end."""

    def __init__(self, cluster, seed):
        self.cluster, self.random = cluster, random.Random(seed)
        self.counts, self.healing = collections.Counter(), []

    def faults(self):
        cluster = self.cluster
        faults = [("kill -9 child", self.kill_child), ("kill -9 worker", self.kill_worker),
                  ("stop child", self.stop_child), ("stop worker", self.stop_worker),
                  ("kill -9 coordinator", cluster.coordinator.kill),
                  ("stop coordinator", lambda: self.stop(cluster.coordinator.process.pid))]
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

    def kill_child(self):
        for child in self.worker().children()[:1]:
            self.send(child, signal.SIGKILL)

    def kill_worker(self):
        self.worker().kill()

    def stop_child(self):
        for child in self.worker().children()[:1]:
            self.stop(child)

    def stop_worker(self):
        self.stop(self.worker().process.pid)

    def stop(self, process):
        self.send(process, signal.SIGSTOP)
        self.later(lambda: self.send(process, signal.SIGCONT))

    @staticmethod
    def send(process, number):
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
