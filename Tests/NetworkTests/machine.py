"""Another machine behind a router that translates addresses: it can connect out, nobody can connect to it."""

import os
import socket
import subprocess


class MachineBehindNAT:
    """Three network namespaces: here, a router that masquerades (nftables), and the machine."""

    def __init__(self):
        tag = str(os.getpid() % 100_000)
        self.name, self.router = f"ctm{tag}", f"ctr{tag}"
        self.here = "10.231.81.1"
        outer, inner = f"cto{tag}", f"cti{tag}"
        self.outer = outer
        for command in [
            f"ip netns add {self.router}", f"ip netns add {self.name}",
            f"ip link add {outer} type veth peer name out netns {self.router}",
            f"ip addr add {self.here}/30 dev {outer}", f"ip link set {outer} up",
            f"ip -n {self.router} addr add 10.231.81.2/30 dev out", f"ip -n {self.router} link set out up",
            f"ip -n {self.router} link add {inner} type veth peer name net netns {self.name}",
            f"ip -n {self.router} addr add 10.231.82.1/30 dev {inner}", f"ip -n {self.router} link set {inner} up",
            f"ip -n {self.name} addr add 10.231.82.2/30 dev net", f"ip -n {self.name} link set net up",
            f"ip -n {self.name} link set lo up", f"ip -n {self.name} route add default via 10.231.82.1",
            f"ip netns exec {self.router} sysctl -qw net.ipv4.ip_forward=1",
            f"ip netns exec {self.router} nft add table ip nat",
            f"ip netns exec {self.router} nft add chain ip nat out {{ type nat hook postrouting priority 100 ; }}",
            f"ip netns exec {self.router} nft add rule ip nat out oifname out masquerade",
            f"ip netns exec {self.router} nft add table ip filter",
            f"ip netns exec {self.router} nft add chain ip filter in {{ type filter hook forward priority 0 ; }}",
            f"ip netns exec {self.router} nft add rule ip filter in iifname out ct state new drop",
            # Even who knows the way does not get in.
            "ip route add 10.231.82.0/30 via 10.231.81.2",
        ]:
            subprocess.run(command.split(), check=True, capture_output=True)
        self.within = ["ip", "netns", "exec", self.name]

    @staticmethod
    def can_be_reached():
        """Whether anything answers there, even that nobody listens."""
        try:
            socket.create_connection(("10.231.82.2", 9), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True

    def cut(self, is_cut):
        """Nothing passes, and nobody is told."""
        subprocess.run(["ip", "-n", self.router, "link", "set", "out", "down" if is_cut else "up"], check=True)

    def remove(self):
        for command in [f"ip netns del {self.name}", f"ip netns del {self.router}", f"ip link del {self.outer}"]:
            subprocess.run(command.split(), capture_output=True)
