"""The peers at the same work: three no-op phases, one worker per phase, the jobs enqueued before the workers start."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(os.path.dirname(HERE), ".build-bench")
INSTRUCTIONS = '{"file_path": "/tmp/x", "size": 1}'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepare():
    """Installs the peers: PyPI's into a folder of their own."""
    if not os.path.exists(f"{VENV}/ready"):
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([f"{VENV}/bin/pip", "install", "-q", "celery[redis]", "dramatiq[redis]", "rq"], check=True)
        open(f"{VENV}/ready", "w").close()


class Processes:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="carbontube-peer-")
        self.all = []

    def start(self, command, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        process = subprocess.Popen(command, cwd=f"{HERE}/peers", stderr=subprocess.DEVNULL, **options)
        self.all.append(process)
        return process

    def end(self):
        for process in reversed(self.all):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def over_redis(jobs, enqueue, workers):
    processes = Processes()
    try:
        path = f"{processes.folder}/redis.sock"
        port = free_port()
        processes.start(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", path, "--dir",
                         processes.folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"])
        while not os.path.exists(path):
            time.sleep(0.01)
        environment = dict(os.environ, BENCH_REDIS=f"redis://127.0.0.1:{port}/0", PYTHONDONTWRITEBYTECODE="1")
        subprocess.run([f"{VENV}/bin/python", "-c", enqueue.format(jobs=jobs, body=INSTRUCTIONS)], cwd=f"{HERE}/peers",
                       env=environment, check=True)

        def done():
            answer = subprocess.run(["redis-cli", "-s", path, "llen", "bench:done"], capture_output=True, text=True)
            return int(answer.stdout.strip() or 0)

        for command in workers:
            processes.start([f"{VENV}/bin/{command[0]}"] + command[1:], env=environment)
        # From the first job through to the last, so that no start of a process is measured.
        while (first := done()) == 0:
            time.sleep(0.01)
        start = time.perf_counter()
        while done() < jobs:
            time.sleep(0.02)
        return (jobs - first) / (time.perf_counter() - start)
    finally:
        processes.end()


def celery(jobs):
    return over_redis(
        jobs,
        "from celery_app import phase1, phase2, phase3\nfrom celery import chain\n"
        "for _ in range({jobs}): chain(phase1.s('{body}'), phase2.s(), phase3.s()).apply_async()",
        [["celery", "-A", "celery_app", "worker", "-P", "solo", "-Q", f"phase{n}", "-n", f"w{n}@bench", "--without-gossip",
          "--without-mingle", "--without-heartbeat", "-l", "error"] for n in (1, 2, 3)])


def dramatiq(jobs):
    return over_redis(
        jobs, "from dramatiq_app import phase1\nfor _ in range({jobs}): phase1.send('{body}')",
        [["dramatiq", "dramatiq_app", "-p", "1", "-t", "1", "-Q", f"phase{n}"] for n in (1, 2, 3)])


def rq(jobs):
    url = "import os; from rq import Queue; import redis"
    return over_redis(
        jobs, url + "\nq = Queue('phase1', connection=redis.Redis.from_url(os.environ['BENCH_REDIS']))\n"
        "for _ in range({jobs}): q.enqueue('rq_app.phase1', '{body}', result_ttl=0)",
        [["python", "-c", "import os, redis, rq; rq.SimpleWorker(['phase%d'], connection=redis.Redis.from_url("
          "os.environ['BENCH_REDIS'])).work(logging_level='ERROR')" % n] for n in (1, 2, 3)])


def over_tcp(jobs, server, script):
    processes = Processes()
    try:
        port = free_port()
        processes.start([word.format(port=port, folder=processes.folder) for word in server])
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        command = [sys.executable, f"{HERE}/peers/{script}"]
        subprocess.run(command + ["client", str(port), str(jobs), INSTRUCTIONS], check=True)
        last = processes.start(command + ["worker", str(port), "3"], stdout=subprocess.PIPE, text=True)
        for phase in ("2", "1"):
            processes.start(command + ["worker", str(port), phase])
        last.stdout.readline()
        start = time.perf_counter()
        for _ in range(jobs - 1):
            last.stdout.readline()
        return (jobs - 1) / (time.perf_counter() - start)
    finally:
        processes.end()


def gearmand(jobs):
    return over_tcp(jobs, ["gearmand", "--port={port}", "--listen=127.0.0.1", "--log-file=none"], "gearman_peer.py")


def beanstalkd(jobs):
    return over_tcp(
        jobs, ["beanstalkd", "-l", "127.0.0.1", "-p", "{port}", "-b", "{folder}", "-f", "50"], "beanstalk_peer.py")


def zeromq_ring(jobs):
    folder = tempfile.mkdtemp()
    try:
        subprocess.run(["gcc", "-O2", "-o", f"{folder}/ring", f"{HERE}/Ring/ring.c", "-lzmq"], check=True)
        return float(subprocess.run([f"{folder}/ring", str(jobs)], capture_output=True, text=True, check=True).stdout)
    finally:
        shutil.rmtree(folder)


def redis_commands(jobs):
    """Jobs/s at which redis-server could do the commands of the turn script's work alone: 3 phases of some 9 commands,
    pipelined by 200, over a unix socket."""
    processes = Processes()
    try:
        path = f"{processes.folder}/redis.sock"
        processes.start(["redis-server", "--port", "0", "--unixsocket", path, "--dir", processes.folder, "--save", "",
                         "--appendonly", "yes", "--appendfsync", "everysec"])
        while not os.path.exists(path):
            time.sleep(0.01)
        output = subprocess.run(["redis-benchmark", "-s", path, "-c", "1", "-P", "200", "-n", "500000", "-r", "100000", "-q",
                                 "hset", "job:__rand_int__", "state", "3"], capture_output=True, text=True).stdout
        rate = float(output.replace("\r", "\n").split("requests per second")[0].split()[-1])
        return rate / 27
    finally:
        processes.end()


PEERS = [("gearmand (memory), Python client", gearmand, 6_000), ("beanstalkd (binlog 50 ms), Python client", beanstalkd, 6_000),
         ("Dramatiq + Redis", dramatiq, 2_000), ("Celery solo + Redis", celery, 1_000), ("RQ SimpleWorker + Redis", rq, 500)]
LIMITS = [("limit: bare ZeroMQ ring", zeromq_ring, 300_000), ("limit: redis-server's commands alone", redis_commands, 0)]
