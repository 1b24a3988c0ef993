"""What the machine could do if a job were nothing but its messages, or nothing but its commands to Redis."""

import subprocess
import tempfile

import redis_server
from measurement import percentiles
from processes import Processes
from system import HERE

# A job of three phases passes ZeroMQ from the client to the coordinator, to a worker and back for each phase, and to the
# client. (Between a worker and its PluginHost it passes a socketpair, which is not counted.)
HOPS = 1 + 3 * 2 + 1


def zeromq_ring(messages=200_000, probes=1_000):
    with tempfile.TemporaryDirectory(prefix="carbontube-bench-") as folder:
        subprocess.run(["gcc", "-O2", "-o", f"{folder}/ring", f"{HERE}/Ring/ring.c", "-lzmq"], check=True)
        output = subprocess.run(
            [f"{folder}/ring", str(HOPS), str(messages), str(probes)], capture_output=True, text=True, check=True).stdout
    rate, *times = map(float, output.split())
    return {"jobs_per_s": rate, "idle_ms": percentiles(times)}


def redis_commands(commands_per_job):
    """redis-benchmark with as many commands a job as CarbonTube's were counted to be. All are HSET, as most are of its
    kind; pipelined by 200 as in a turn of a busy coordinator, over a unix socket."""
    processes = Processes()
    try:
        path = redis_server.start(processes)
        output = subprocess.run(
            ["redis-benchmark", "-s", path, "-c", "1", "-P", "200", "-n", "1000000", "-r", "100000", "-q", "hset",
             "job:__rand_int__", "state", "3"], capture_output=True, text=True, check=True).stdout
        rate = float(output.replace("\r", "\n").split("requests per second")[0].split()[-1])
        return {"jobs_per_s": rate / commands_per_job, "commands_per_job": commands_per_job}
    finally:
        processes.end()
