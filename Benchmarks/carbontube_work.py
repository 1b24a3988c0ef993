"""CarbonTube at the work of docs/performance.md: three no-op phases, one worker per phase, jobs of 34 bytes."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Tests/EndToEndTests/Resources"))
import wire  # noqa: E402

INSTRUCTIONS = '{"file_path": "/tmp/x", "size": 1}'
assert len(INSTRUCTIONS) == 34


def cpu_seconds(process):
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(process):
    with open(f"/proc/{process}/status") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def children(process):
    found = []
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/children") as file:
            found += [int(word) for word in file.read().split()]
    return found


def no_op_library(folder):
    library = f"{folder}/libNoOp.so"
    subprocess.run(
        ["gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now",
         f"-I{ROOT}/Sources/CPhaseABI/include", "-o", library, f"{ROOT}/Benchmarks/NoOp/no_op.c"], check=True)
    os.chmod(library, 0o755)
    return library


class Cluster:
    def __init__(self, store):
        self.folder = tempfile.mkdtemp(prefix="carbontube-bench-")
        os.chmod(self.folder, 0o755)
        self.programs, self.names, self.client = [], [], None
        try:
            self._start(store)
        except BaseException:
            self.end()
            raise

    def _start(self, store):
        library = no_op_library(self.folder)
        storage = "memory:"
        if store == "sqlite":
            storage = f"sqlite:{self.folder}/jobs.db"
        elif store == "redis":
            self.spawn("redis-server", ["redis-server", "--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--dir",
                       self.folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"])
            while not os.path.exists(f"{self.folder}/redis.sock"):
                time.sleep(0.01)
            storage = f"redis+unix://{self.folder}/redis.sock"
        self.address = f"ipc://{self.folder}/jobs"
        events = f"ipc://{self.folder}/events"
        self.spawn("coordinator", [f"{ROOT}/bin/carbontube", "pipeline", library, "no-op", f"--sub-bind={events}",
                                   f"--job-pull={self.address}", "--storage", storage, "--log-level=error"])
        for phase in ["no-op-1", "no-op-2", "no-op-3"]:
            self.spawn("worker", [f"{ROOT}/bin/carbontube", "phase", library, phase, f"--sub-connect={events}",
                                  f"--pull-bind=ipc://{self.folder}/{phase}", "--log-level=error"])
        self.client = wire.Client(self.address, "no-op")
        self.await_status(lambda status: len(status["workers"]) == 3)

    def spawn(self, name, command):
        self.programs.append(subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL))
        self.names.append(name)

    def await_status(self, fits, pause=0.005):
        while True:
            code, message, status, _ = self.client.request("status")
            assert code == 0, message
            if fits(status):
                return status
            time.sleep(pause)

    def processes(self):
        for name, program in zip(self.names, self.programs):
            yield name, program.pid
            for child in children(program.pid) if name == "worker" else []:
                yield "PluginHost", child

    def usage(self):
        return sum(cpu_seconds(process) for _, process in self.processes())

    def pause(self, paused):
        assert self.client.request("pause" if paused else "resume")[0] == 0

    def enqueue(self, count, window=8, batch=500):
        """Acknowledged, several requests of several jobs under way; returns seconds."""
        import zmq

        start, sent, acknowledged, outstanding = time.perf_counter(), 0, 0, 0
        head = wire.text("") + wire.signed(0) + wire.signed(0)
        body = INSTRUCTIONS.encode()
        prologue = wire.PROLOGUE + bytes([wire.ENQUEUE])
        while acknowledged < count:
            while outstanding < window and sent < count:
                size = min(batch, count - sent)
                self.client.last += 1
                header = prologue + wire.number(self.client.last) + wire.text("no-op") + wire.number(size) + head * size
                self.client.socket.send_multipart([header] + [body] * size, copy=True)
                sent, outstanding = sent + size, outstanding + 1
            reply = wire.Reader(self.client.socket.recv_multipart()[0])
            reply.number()
            jobs = reply.number()
            # The first answer of each request stands for all: they are stored by one turn.
            assert reply.byte() == 0
            acknowledged, outstanding = acknowledged + jobs, outstanding - 1
        assert zmq
        return time.perf_counter() - start

    def end(self):
        if self.client:
            self.client.close()
        for program in reversed(self.programs):
            program.kill()
            program.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def throughput(store, jobs):
    """Jobs enqueued beforehand, so that the enqueueing is measured apart from the running."""
    cluster = Cluster(store)
    try:
        cluster.pause(True)
        enqueued = jobs / cluster.enqueue(jobs)
        before, start = cluster.usage(), time.perf_counter()
        cluster.pause(False)
        cluster.await_status(lambda status: status["succeeded"] == jobs)
        seconds = time.perf_counter() - start
        usage = cluster.usage() - before
        peaks = {}
        for name, process in cluster.processes():
            peaks[name] = max(peaks.get(name, 0), round(peak_mib(process), 1))
        return {"jobs_per_s": jobs / seconds, "phase_runs_per_s": 3 * jobs / seconds, "enqueue_per_s": enqueued,
                "cpu_s_per_1000_jobs": usage * 1000 / jobs, "peak_mib": peaks}
    finally:
        cluster.end()


def latency(store, count):
    """Milliseconds from enqueue to the first status that counts the job as succeeded, one job at a time at idle: the
    client asks without a pause, so its questions cost the coordinator a little as well."""
    cluster = Cluster(store)
    times = []
    try:
        for _ in range(count):
            done = cluster.client.request("status")[2]["succeeded"]
            start = time.perf_counter()
            assert cluster.client.enqueue([("", INSTRUCTIONS, 0)])[0][0] == 0
            cluster.await_status(lambda status: status["succeeded"] > done, pause=0)
            times.append((time.perf_counter() - start) * 1000)
    finally:
        cluster.end()
    times.sort()
    return {"p50_ms": statistics.median(times), "p99_ms": times[int(len(times) * 0.99)], "p999_ms": times[int(len(times) * 0.999)]}


def idle(store):
    cluster = Cluster(store)
    try:
        coordinator = cluster.programs[cluster.names.index("coordinator")].pid
        before = cpu_seconds(coordinator)
        time.sleep(5)
        return {"idle_cpu_percent": (cpu_seconds(coordinator) - before) / 5 * 100, "idle_mib": peak_mib(coordinator)}
    finally:
        cluster.end()
