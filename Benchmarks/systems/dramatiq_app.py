"""Dramatiq: three actors on three queues, each sends to the next one; and its client."""

import os

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=f"unix://{os.environ['BENCH_ADDRESS']}"))
_done = redis.Redis(unix_socket_path=os.environ["BENCH_ADDRESS"])


@dramatiq.actor(queue_name="phase3")
def phase3(instructions):
    if "probe" in instructions:
        _done.rpush("bench:probe", 1)
    else:
        _done.incr("bench:done")


@dramatiq.actor(queue_name="phase2")
def phase2(instructions):
    phase3.send(instructions)


@dramatiq.actor(queue_name="phase1")
def phase1(instructions):
    phase2.send(instructions)


class Client:
    def __init__(self, address):
        pass

    def enqueue(self, count):
        for _ in range(count):
            phase1.send('{"file_path": "/tmp/x", "size": 1}')

    def run_one(self):
        phase1.send('{"file_path": "/probe", "size": 1}')
        _done.blpop("bench:probe")
