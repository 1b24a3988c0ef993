"""Opens descriptors of processes (pidfd) for a program under valgrind 3.19, which does not know the system call."""

import os
import socket
import struct
import subprocess
import threading

from system import ROOT


class ProcessDescriptors:
    def __init__(self, folder):
        self.library, self.address = f"{folder}/libprocess_descriptor.so", f"{folder}/process-descriptors"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", self.library,
                        f"{ROOT}/Benchmarks/Counting/process_descriptor.c", "-ldl"], check=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.address)
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def environment(self):
        return {"LD_PRELOAD": self.library, "PROCESS_DESCRIPTORS": self.address}

    def _serve(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line:
                self._answer(line)

    def _answer(self, line):
        process = struct.unpack("i", line.recv(4))[0]
        try:
            descriptor = os.pidfd_open(process)
        except OSError:
            return
        socket.send_fds(line, [b"."], [descriptor])
        os.close(descriptor)

    def close(self):
        self.listener.close()
