"""Celery, Dramatiq and RQ over a redis-server of the same settings as CarbonTube's."""

import redis_server
from system import SYSTEMS, VENV, System


class RedisPeer(System):
    """A subclass has `worker(phase)`, the command of that phase's worker."""

    python = f"{VENV}/bin/python"

    def start(self):
        self.address = redis_server.start(self.processes)
        self.redis = redis_server.Connection(self.address)
        self.workers = {phase: self._worker(phase) for phase in (3, 2, 1)}

    def _worker(self, phase):
        # Workers import the application from where they are started, or by PYTHONPATH.
        return self.processes.start("worker", self.worker(phase), self.environment())

    def hold(self):
        self.processes.stop(self.workers[1])

    def release(self):
        """The last two workers are there and idle: all the work of a job is done from here on."""
        self.workers[1] = self._worker(1)

    def finished(self):
        return int(self.redis.ask("GET", "bench:done") or 0)


class Celery(RedisPeer):
    module, jobs = "celery_app", 1_500

    def __init__(self, pool):
        super().__init__()
        self.pool, self.name = pool, f"Celery {pool} + Redis"

    def worker(self, phase):
        # Gossip, mingle and heartbeats are for clusters (docs.celeryq.dev, userguide/workers). With one child `-O fair`,
        # which is the default, hands a task only to a child that is idle.
        return [f"{VENV}/bin/celery", "-A", "celery_app", "worker", "-P", self.pool, "-c", "1", "-O", "fair", "-Q",
                f"phase{phase}", "-n", f"w{phase}@bench", "--without-gossip", "--without-mingle", "--without-heartbeat",
                "-l", "error"]


class Dramatiq(RedisPeer):
    module, jobs, name = "dramatiq_app", 1_500, "Dramatiq + Redis"

    def worker(self, phase):
        return [f"{VENV}/bin/dramatiq", "dramatiq_app", "-p", "1", "-t", "1", "-Q", f"phase{phase}"]

    def environment(self):
        # dramatiq.io/reference, "Environment Variables". A consumer that found nothing sleeps for up to the timeout: 1 s
        # by default, which would be most of the latency.
        return super().environment() | {"dramatiq_queue_prefetch": "64", "dramatiq_worker_timeout": "5"}


class RQ(RedisPeer):
    module, jobs, name = "rq_app", 600, "RQ SimpleWorker + Redis"

    def worker(self, phase):
        # python-rq.org/docs/workers, "Performance Notes": SimpleWorker where forking for each job is what costs.
        return [self.python, f"{SYSTEMS}/rq_app.py", str(phase)]
