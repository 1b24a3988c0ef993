"""What every system under test offers to be measured, in the same way for all."""

import json
import os
import subprocess
import sys

from processes import Processes

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SYSTEMS = os.path.join(HERE, "systems")
VENV = os.path.join(ROOT, ".build-bench")
INSTRUCTIONS = '{"file_path": "/tmp/x", "size": 1}'
assert len(INSTRUCTIONS) == 34


class System:
    """Three phases that do nothing, one worker each. A subclass sets `name`, `module` (of its Client) and `address`."""

    # Jobs of a filled queue; few where a system would take minutes.
    jobs = 50_000
    python = sys.executable
    child = "child"
    # Whether `finished` counts jobs that a probe sent.
    counts_probes = False

    def __init__(self):
        self.processes, self.clients = Processes(self.child), []

    def start(self):
        raise NotImplementedError

    def hold(self):
        """Jobs that are enqueued from now on stay where they are."""
        raise NotImplementedError

    def release(self):
        raise NotImplementedError

    def finished(self):
        """How many jobs the last phase has done."""
        raise NotImplementedError

    def own_figures(self, jobs):
        """What is measured of this system alone, once a queue of so many jobs has been filled and run."""
        return {}

    def end(self):
        # Those that wait for an answer would wait for it when the system is gone.
        for client in self.clients:
            client.kill()
        self.processes.end()

    def environment(self):
        return dict(os.environ, PYTHONDONTWRITEBYTECODE="1", BENCH_ADDRESS=self.address, PYTHONPATH=SYSTEMS)

    def client(self, *action):
        client = subprocess.Popen(
            [self.python, f"{HERE}/client.py", self.module, self.address] + [str(word) for word in action],
            stdout=subprocess.PIPE, text=True, env=self.environment())
        self.clients.append(client)
        return client

    def answer(self, client):
        output = client.communicate()[0]
        assert client.returncode == 0, f"the client of {self.name} failed"
        return json.loads(output)

    def ask(self, *action):
        return self.answer(self.client(*action))
