"""Dramatiq: three actors on three queues, each sends the next one."""

import os

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_REDIS"]))
_done = redis.Redis.from_url(os.environ["BENCH_REDIS"])


@dramatiq.actor(queue_name="phase3")
def phase3(instructions):
    _done.rpush("bench:done", 1)


@dramatiq.actor(queue_name="phase2")
def phase2(instructions):
    phase3.send(instructions)


@dramatiq.actor(queue_name="phase1")
def phase1(instructions):
    phase2.send(instructions)
