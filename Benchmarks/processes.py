"""The processes of a system under test, each with its role, and what they have cost so far."""

import os
import shutil
import subprocess
import tempfile


def cpu_seconds(process):
    """To the nanosecond: the ticks of /proc/PID/stat are too coarse for runs of some milliseconds."""
    total = 0
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def cpu_seconds_of_ended_children(process):
    """A PluginHost is replaced now and then: what it has spent must not vanish from a sum."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


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


def family(process):
    """Its children and theirs."""
    for child in children(process):
        yield child
        yield from family(child)


def kill_family(program):
    """It and all that it has forked."""
    members = list(family(program.pid))
    program.kill()
    for process in members:
        try:
            os.kill(process, 9)
        except ProcessLookupError:
            pass


class Processes:
    """Roots are started here with a role; what they fork has the role `child`, under the name the system gives it."""

    def __init__(self, child="child"):
        self.folder = tempfile.mkdtemp(prefix="carbontube-bench-")
        # PluginHosts may run as another user.
        os.chmod(self.folder, 0o755)
        self.child, self.roots = child, []

    def start(self, role, command, environment=None, stdout=subprocess.DEVNULL):
        program = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, env=environment)
        self.roots.append((role, program))
        return program

    def stop(self, program):
        # A prefork child outlives a killed parent, and would go on taking jobs.
        kill_family(program)
        program.wait()
        self.forget(program)

    def forget(self, program):
        """One that has ended."""
        self.roots = [root for root in self.roots if root[1] is not program]

    def by_role(self):
        for role, program in self.roots:
            yield role, program.pid
            for process in family(program.pid):
                yield self.child, process

    def cpu_by_role(self):
        usage = {}
        for role, process in self.by_role():
            usage[role] = usage.get(role, 0) + cpu_seconds(process)
        for _, program in self.roots:
            usage[self.child] = usage.get(self.child, 0) + cpu_seconds_of_ended_children(program.pid)
        return {role: seconds for role, seconds in usage.items() if seconds}

    def peak_by_role(self):
        """The largest process of each role."""
        peaks = {}
        for role, process in self.by_role():
            peaks[role] = max(peaks.get(role, 0), peak_mib(process))
        return peaks

    def end(self):
        for _, program in reversed(list(self.roots)):
            self.stop(program)
        shutil.rmtree(self.folder, ignore_errors=True)
