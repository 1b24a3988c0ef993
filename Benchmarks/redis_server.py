"""A redis-server of the settings every system over Redis gets, and its protocol as far as a rig needs it."""

import os
import socket
import time


def start(processes):
    """Returns the path of its unix socket, the quickest way to it for CarbonTube and the peers alike."""
    path = f"{processes.folder}/redis.sock"
    processes.start("redis-server", [
        "redis-server", "--port", "0", "--unixsocket", path, "--dir", processes.folder, "--save", "", "--appendonly", "yes",
        "--appendfsync", "everysec"])
    while True:
        try:
            connection = Connection(path)
            connection.ask("PING")
            return path
        except OSError:
            time.sleep(0.01)


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, *words):
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in map(os.fsencode, words)))
        line = self.file.readline().rstrip()
        if line[:1] == b"$":
            length = int(line[1:])
            return self.file.read(length + 2)[:-2].decode() if length >= 0 else None
        assert line[:1] in (b"+", b":"), line
        return line[1:].decode()

    def calls(self):
        """Commands run since CONFIG RESETSTAT, those inside scripts and functions too; not the rig's own."""
        total = 0
        for line in self.ask("INFO", "commandstats").splitlines():
            if line.startswith("cmdstat_") and line.split(":")[0] not in ("cmdstat_info", "cmdstat_config|resetstat"):
                total += int(line.split("calls=")[1].split(",")[0])
        return total
