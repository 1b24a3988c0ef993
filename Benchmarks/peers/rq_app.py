"""RQ: three queues, each phase enqueues the next one."""

import os

import redis
from rq import Queue

_redis = redis.Redis.from_url(os.environ["BENCH_REDIS"])
_queues = {n: Queue(f"phase{n}", connection=_redis) for n in (1, 2, 3)}


def phase1(instructions):
    _queues[2].enqueue("rq_app.phase2", instructions, result_ttl=0)


def phase2(instructions):
    _queues[3].enqueue("rq_app.phase3", instructions, result_ttl=0)


def phase3(instructions):
    _redis.rpush("bench:done", 1)
