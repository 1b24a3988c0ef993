"""Other machines that can be cut off: network namespaces, each joined to this one by a cable."""

import os
import subprocess


class Machine:
    """All packets from it and to it vanish while it is cut off, and nobody is told."""

    def __init__(self, number):
        tag = f"{os.getpid() % 100_000}-{number}"
        self.name, self.cable = f"ctb{tag}", f"ctc{tag}"
        network = f"10.231.{os.getpid() % 250}"
        self.here, there = f"{network}.{4 * number + 1}", f"{network}.{4 * number + 2}"
        self.within = ["ip", "netns", "exec", self.name]
        for command in [
            f"ip netns add {self.name}", f"ip link add {self.cable} type veth peer name cable netns {self.name}",
            f"ip addr add {self.here}/30 dev {self.cable}", f"ip link set {self.cable} up",
            f"ip -n {self.name} addr add {there}/30 dev cable", f"ip -n {self.name} link set cable up",
            f"ip -n {self.name} link set lo up",
        ]:
            subprocess.run(command.split(), check=True, capture_output=True)

    def cut_off(self):
        self._nft("table ip cut { chain in { type filter hook input priority 0; policy drop; }; "
                  "chain out { type filter hook output priority 0; policy drop; }; }")

    def rejoin(self):
        self._nft("delete table ip cut")

    def _nft(self, rules):
        subprocess.run([*self.within, "nft", "-f", "-"], input=rules, text=True, check=True, capture_output=True)

    def remove(self):
        for command in [f"ip netns del {self.name}", f"ip link del {self.cable}"]:
            subprocess.run(command.split(), capture_output=True)


class ThisMachine:
    """For who may not make others."""

    here, within = "127.0.0.1", []

    def remove(self):
        pass
