"""gearmand and beanstalkd, with workers in Python that speak their protocols over bare sockets."""

import socket
import sys
import time

from done_count import DoneCount
from system import SYSTEMS, System


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SocketPeer(System):
    """A subclass has `server(port)`, the command of its server."""

    def __init__(self):
        super().__init__()
        self.address = str(free_port())
        self.count_file = f"{self.processes.folder}/done"
        self.count = DoneCount(self.count_file)

    def start(self):
        self.processes.start(self.role, self.server(self.address))
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(self.address))).close()
                break
            except OSError:
                time.sleep(0.02)
        self.workers = {phase: self._worker(phase) for phase in (3, 2, 1)}

    def _worker(self, phase):
        command = [sys.executable, f"{SYSTEMS}/{self.module}.py", self.address, str(phase), self.count_file]
        return self.processes.start("worker", command, self.environment())

    def hold(self):
        self.processes.stop(self.workers[1])

    def release(self):
        self.workers[1] = self._worker(1)

    def finished(self):
        return self.count.value()


class Gearmand(SocketPeer):
    name, role, module, jobs = "gearmand (memory)", "gearmand", "gearman_peer", 20_000

    def server(self, port):
        # gearmand(8): one thread for the clients, where four (the default) have two cores.
        return ["gearmand", f"--port={port}", "--listen=127.0.0.1", "--log-file=none", "--threads=1"]


class Beanstalkd(SocketPeer):
    name, role, module, jobs = "beanstalkd (binlog, 50 ms)", "beanstalkd", "beanstalk_peer", 20_000

    def server(self, port):
        # beanstalkd(1): a binlog that is flushed every 50 ms, its documented default, is what `everysec` is to Redis.
        return ["beanstalkd", "-l", "127.0.0.1", "-p", port, "-b", self.processes.folder, "-f", "50"]
