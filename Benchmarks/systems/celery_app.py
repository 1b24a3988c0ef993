"""Celery: a chain of three tasks, each routed to a queue of its own; and its client.

Settings for short tasks, from docs.celeryq.dev, userguide/optimizing ("Prefetch Limits": 64 or 128 for many short tasks),
userguide/tasks ("Ignore results you don't want"); late acknowledgement makes it deliver at least once, as the others do.
"""

import os

import redis
from celery import Celery, chain

app = Celery("bench", broker=f"redis+socket://{os.environ['BENCH_ADDRESS']}")
app.conf.update(
    task_ignore_result=True, worker_prefetch_multiplier=64, task_acks_late=True, worker_hijack_root_logger=False,
    task_routes={f"celery_app.phase{n}": {"queue": f"phase{n}"} for n in (1, 2, 3)})
_done = redis.Redis(unix_socket_path=os.environ["BENCH_ADDRESS"])


@app.task(name="celery_app.phase1")
def phase1(instructions):
    return instructions


@app.task(name="celery_app.phase2")
def phase2(instructions):
    return instructions


@app.task(name="celery_app.phase3")
def phase3(instructions):
    if "probe" in instructions:
        _done.rpush("bench:probe", 1)
    else:
        _done.incr("bench:done")


def _send(instructions):
    chain(phase1.s(instructions), phase2.s(), phase3.s()).apply_async()


class Client:
    def __init__(self, address):
        pass

    def enqueue(self, count):
        for _ in range(count):
            _send('{"file_path": "/tmp/x", "size": 1}')

    def run_one(self):
        _send('{"file_path": "/probe", "size": 1}')
        _done.blpop("bench:probe")
