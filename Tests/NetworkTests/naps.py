"""Pipelines of naps and their workers, as processes of the release build."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(f"{ROOT}/Tests")
from waiting import until  # noqa: E402

CARBONTUBE = f"{ROOT}/bin/carbontube"


class Program:
    """A program that serves until it is told to end; what it says is kept."""

    def __init__(self, command, environment=None):
        self.lines = []
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **(environment or {})})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def said(self, pattern):
        """The match of the first line that fits."""
        return next((match for match in (re.search(pattern, line) for line in list(self.lines)) if match), None)

    def await_words(self, pattern):
        return until(lambda: self.said(pattern) or self.process.poll() is not None and self.fail(), pattern)

    def fail(self):
        raise AssertionError(f"ended with {self.process.returncode}: {self.lines}")

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Naps:
    """A folder with the plugin, the stores of the pipelines and what the naps have written."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="carbontube-network-")
        self.path = self.folder.name
        self.library, self.ledger = f"{self.path}/libNaps.so", f"{self.path}/naps"
        self.programs = []
        subprocess.run(
            ["gcc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,nodelete,-z,now",
             f"-I{ROOT}/Sources/CPhaseABI/include", "-o", self.library, f"{ROOT}/Tests/NetworkTests/naps.c"],
            check=True)

    def start(self, *command, within=(), environment=None):
        program = Program([*within, CARBONTUBE, *command], environment)
        self.programs.append(program)
        return program

    def pipeline(self, name, *options, host="127.0.0.1", jobs="*", events="*", storage=None, environment=None):
        return Pipeline(self, name, host, jobs, events, storage or f"sqlite:{self.path}/{name}.db", options, environment)

    def worker(self, *options, within=(), environment=None):
        return self.start(
            "phase", self.library, "nap", "--env", f"NAPS={self.ledger}", *options, within=within, environment=environment)

    def naps(self):
        """Ids of jobs in the order in which they ended, once for each run."""
        try:
            with open(self.ledger) as file:
                return file.read().split()
        except FileNotFoundError:
            return []

    def end(self):
        for program in reversed(self.programs):
            program.end()
        self.folder.cleanup()


class Pipeline:
    def __init__(self, naps, name, host, jobs, events, storage, options, environment):
        self.naps, self.name = naps, name
        self.program = naps.start(
            "pipeline", naps.library, name, f"--sub-bind=tcp://{host}:{events}", f"--job-pull=tcp://{host}:{jobs}",
            "--storage", storage, *options, environment=environment)
        said = self.program.await_words(r"jobs tcp://\S+:(\d+), workers tcp://\S+:(\d+)")
        self.jobs, self.events = int(said[1]), int(said[2])
        self.address = f"tcp://127.0.0.1:{self.jobs}" if host in ("127.0.0.1", "*") else f"tcp://{host}:{self.jobs}"

    def enqueue(self, count, milliseconds, prefix):
        """Jobs with ids of their own: PREFIX-NUMBER."""
        lines = "".join(
            json.dumps({"id": f"{prefix}-{number}", "instructions": {"ms": milliseconds}}) + "\n"
            for number in range(count))
        subprocess.run(
            [CARBONTUBE, "enqueue", self.address, self.name, "--jobs", "-"], input=lines, text=True, check=True,
            capture_output=True)
        return [f"{prefix}-{number}" for number in range(count)]

    def status(self):
        said = subprocess.run(
            [CARBONTUBE, "status", "--address", self.address, "--json"], capture_output=True, text=True, check=True)
        document = json.loads(said.stdout)
        return document[0] if isinstance(document, list) else document

    def await_succeeded(self, count, seconds=120):
        return until(lambda: self.status()["succeeded"] >= count, f"{count} jobs of {self.name} have succeeded", seconds)
