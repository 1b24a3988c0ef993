"""docs/machines.md does what it shows: its commands run on two machines that have the addresses it names."""

import os
import re
import subprocess
import tempfile
import unittest

from naps import CARBONTUBE, ROOT, Program, until

SERVERS = ("pipeline", "phase", "forwarder")


class TwoMachines:
    """Network namespaces with the addresses of the page, joined by a cable."""

    def __init__(self):
        tag = str(os.getpid() % 100_000)
        self.names = {"10.0.0.1": f"cta{tag}", "10.0.0.2": f"ctb{tag}"}
        one, two = self.names.values()
        for command in [
            f"ip netns add {one}", f"ip netns add {two}", f"ip -n {one} link add cable type veth peer name cable netns {two}",
            f"ip -n {one} addr add 10.0.0.1/24 dev cable", f"ip -n {two} addr add 10.0.0.2/24 dev cable",
        ] + [f"ip -n {name} link set {link} up" for name in (one, two) for link in ("lo", "cable")]:
            subprocess.run(command.split(), check=True, capture_output=True)

    def remove(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def blocks():
    """Of the page: the machine and the lines of each."""
    with open(f"{ROOT}/docs/machines.md") as page:
        for block in re.findall(r"```sh\n(.*?)```", page.read(), re.S):
            first, *lines = block.strip().split("\n")
            yield re.fullmatch(r"# on (\S+)", first)[1], lines


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class MachinesPage(unittest.TestCase):
    def test_its_commands_do_what_it_says(self):
        machines = TwoMachines()
        self.addCleanup(machines.remove)
        folder = tempfile.TemporaryDirectory(prefix="carbontube-machines-")
        self.addCleanup(folder.cleanup)
        os.symlink(f"{ROOT}/plugins", f"{folder.name}/plugins")
        ran, worker_of_several, said = 0, None, ""
        for machine, lines in blocks():
            for line in lines:
                program, _, rest = line.partition(" ")
                self.assertEqual(program, "carbontube")
                command = ["ip", "netns", "exec", machines.names[machine], "sh", "-c",
                           f"cd {folder.name} && exec {CARBONTUBE} {rest}"]
                ran += 1
                if rest.split()[0] in SERVERS:
                    server = Program(command)
                    self.addCleanup(server.end)
                    server.await_words("^(pipeline|phase|forwarder) ?\\S*:")
                    worker_of_several = server if line.count("--sub-connect") > 1 else worker_of_several
                else:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    said += done.stdout
        self.assertGreaterEqual(ran, 9)
        self.assertIn("succeeded", said)
        # The last worker knows the forwarder alone, and serves the pipeline that knows it.
        self.assertIsNotNone(worker_of_several)
        status = ["ip", "netns", "exec", machines.names["10.0.0.1"], CARBONTUBE, "workers", "--address"]
        until(lambda: "generate-file" in subprocess.run(
            [*status, "tcp://10.0.0.1:5060"], capture_output=True, text=True).stdout, "it is served")


if __name__ == "__main__":
    unittest.main()
