"""RQ: three queues, each phase enqueues the next one; its worker, and its client.

Jobs whose result nobody wants are deleted at once (`result_ttl=0`, python-rq.org/docs/results); many jobs are enqueued by
`enqueue_many` (python-rq.org/docs, "Bulk Job Enqueueing"); JSON instead of pickle (python-rq.org/docs, "Serializers").
"""

import os
import sys

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

_redis = redis.Redis(unix_socket_path=os.environ["BENCH_ADDRESS"])
_queues = {n: Queue(f"phase{n}", connection=_redis, serializer=JSONSerializer) for n in (1, 2, 3)}


def phase1(instructions):
    _queues[2].enqueue("rq_app.phase2", instructions, result_ttl=0)


def phase2(instructions):
    _queues[3].enqueue("rq_app.phase3", instructions, result_ttl=0)


def phase3(instructions):
    if "probe" in instructions:
        _redis.rpush("bench:probe", 1)
    else:
        _redis.incr("bench:done")


class Client:
    def __init__(self, address):
        pass

    def enqueue(self, count):
        for start in range(0, count, 100):
            _queues[1].enqueue_many([
                Queue.prepare_data("rq_app.phase1", ('{"file_path": "/tmp/x", "size": 1}',), result_ttl=0)
                for _ in range(min(100, count - start))])

    def run_one(self):
        _queues[1].enqueue("rq_app.phase1", '{"file_path": "/probe", "size": 1}', result_ttl=0)
        _redis.blpop("bench:probe")


if __name__ == "__main__":
    SimpleWorker([_queues[int(sys.argv[1])]], connection=_redis, serializer=JSONSerializer, log_job_description=False).work(
        logging_level="ERROR")
