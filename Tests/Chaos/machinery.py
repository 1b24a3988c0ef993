"""Processes that are started again, and "another machine" to run some of them on."""

import os
import signal
import socket
import subprocess


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Namespace:
    """Workers on "another machine": a network namespace behind a pair of virtual interfaces."""

    def __init__(self):
        tag = f"{os.getpid() % 100000}"
        self.name, self.link, self.peer = f"ct{tag}", f"cta{tag}", f"ctb{tag}"
        self.here, self.there = "10.231.77.1", "10.231.77.2"
        commands = [
            f"ip netns add {self.name}",
            f"ip link add {self.link} type veth peer name {self.peer} netns {self.name}",
            f"ip addr add {self.here}/30 dev {self.link}",
            f"ip link set {self.link} up",
            f"ip -n {self.name} addr add {self.there}/30 dev {self.peer}",
            f"ip -n {self.name} link set {self.peer} up",
            f"ip -n {self.name} link set lo up",
        ]
        self.works = all(self.quietly(command) for command in commands)
        if not self.works:
            self.remove()

    @staticmethod
    def quietly(command):
        try:
            return subprocess.run(command.split(), capture_output=True, timeout=20).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def cut(self, cut):
        self.quietly(f"ip link set {self.link} {'down' if cut else 'up'}")

    def remove(self):
        self.quietly(f"ip netns del {self.name}")
        self.quietly(f"ip link del {self.link}")


def children_of(process):
    found = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        pass
    return found


class Service:
    """A process that is started again when it ends, as a supervisor would."""

    def __init__(self, name, command, folder, ready=None, environment=None):
        self.name, self.command, self.folder, self.ready = name, command, folder, ready
        self.environment = dict(os.environ, TMPDIR=folder) | (environment or {})
        self.process, self.stopped = None, False
        self.start()

    def start(self):
        with open(f"{self.folder}/{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment
            )
        if self.ready:
            self.ready()

    def keep_alive(self):
        if not self.stopped and self.process.poll() is not None:
            self.start()

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def children(self):
        return children_of(self.process.pid)

    def end(self):
        self.stopped = True
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
