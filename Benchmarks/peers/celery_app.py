"""Celery with its documented settings for short tasks: prefetch, no results kept of the first two phases."""

import os

from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_REDIS"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=64, task_acks_late=True, broker_pool_limit=10,
                task_routes={f"celery_app.phase{n}": {"queue": f"phase{n}"} for n in (1, 2, 3)}, worker_hijack_root_logger=False)


@app.task(name="celery_app.phase1")
def phase1(instructions):
    return instructions


@app.task(name="celery_app.phase2")
def phase2(instructions):
    return instructions


@app.task(name="celery_app.phase3")
def phase3(instructions):
    phase3.app.backend  # noqa: B018
    _done.rpush("bench:done", 1)


import redis  # noqa: E402

_done = redis.Redis.from_url(os.environ["BENCH_REDIS"])
