"""What the figures were measured on, and with which versions."""

import os
import platform
import subprocess

from system import VENV


def described(peers):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = {"cpu": model, "cores": os.cpu_count(), "memory_gib": round(memory, 1), "kernel": platform.release(),
               "python": platform.python_version(), "redis": first_line("redis-server", "--version").split()[2]}
    return machine | (peer_versions() if peers else {})


def peer_versions():
    packages = first_line(f"{VENV}/bin/python", "-c",
                          "from importlib.metadata import version as v; print(*(f'{n}={v(n)}' for n in "
                          "('celery', 'kombu', 'dramatiq', 'rq', 'redis', 'hiredis')))")
    return {"gearmand": first_line("gearmand", "--version").split()[1], "beanstalkd": first_line("beanstalkd", "-v").split()[1],
            "packages": packages}


def first_line(*command):
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return output.strip().splitlines()[0]
