"""Runs a program under the system calls that a unit leaves it: python3 confined.py UNIT PROGRAM [WORD ...]

SystemCallFilter=, RestrictAddressFamilies=, RestrictNamespaces= and MemoryDenyWriteExecute= as systemd puts them into
force, with the sets of this machine's systemd. The rest of a unit's sandbox is mounts, which need a running systemd.
"""

import errno
import os
import socket
import subprocess
import sys

import seccomp

WRITE, EXECUTE, SHARED_EXECUTE = 2, 4, 0o100000
NEW_NAMESPACES = 0x7E020080


def members(name):
    """The system calls of a set such as @system-service."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in listed.splitlines()[1:]]
    return {call for line in lines if line and not line.startswith("#") for call in members(line)}


def allowed(filters):
    calls = set()
    for line in filters:
        taken = set().union(*(members(word) for word in line.removeprefix("~").split()))
        calls = calls - taken if line.startswith("~") else calls | taken
    return calls | members("@default")


def bits(argument, mask):
    """Argument number `argument` has none of these bits."""
    return seccomp.Arg(argument, seccomp.MASKED_EQ, mask, 0)


def conditions(settings):
    """System calls that are allowed with some arguments only: for each the lists of conditions, of which one must hold."""
    found = {}
    if settings["MemoryDenyWriteExecute"][-1] == "yes":
        found["mmap"] = [[bits(2, WRITE)], [bits(2, EXECUTE)]]
        found["mprotect"] = found["pkey_mprotect"] = [[bits(2, EXECUTE)]]
        found["shmat"] = [[bits(2, SHARED_EXECUTE)]]
    if settings["RestrictNamespaces"][-1] == "yes":
        found["clone"] = [[bits(0, NEW_NAMESPACES)]]
        found["unshare"] = found["setns"] = []
    families = " ".join(settings["RestrictAddressFamilies"]).split()
    found["socket"] = [[seccomp.Arg(0, seccomp.EQ, getattr(socket, family))] for family in families]
    return found


def confine(settings):
    rules = seccomp.SyscallFilter(seccomp.ERRNO(getattr(errno, settings["SystemCallErrorNumber"][-1])))
    some = conditions(settings)
    for call in allowed(settings["SystemCallFilter"]):
        # The filter cannot look at what clone3 is given: glibc then falls back to clone.
        if call == "clone3":
            rules.add_rule(seccomp.ERRNO(errno.ENOSYS), call)
            continue
        try:
            number = seccomp.resolve_syscall(seccomp.Arch(), call)
        except ValueError:
            continue
        # Negative: a system call of another architecture.
        if number < 0:
            continue
        for condition in some.get(call, [[]]):
            rules.add_rule(seccomp.ALLOW, number, *condition)
    rules.load()


def main():
    from unit_file import Unit

    confine(Unit(sys.argv[1], "confined", "").settings)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
