"""A count of finished jobs that another process reads: eight bytes of a mapped file cost the worker no system call."""

import mmap
import os
import struct


class DoneCount:
    def __init__(self, path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, 8)
        self.map = mmap.mmap(descriptor, 8)
        os.close(descriptor)

    def add(self):
        struct.pack_into("=q", self.map, 0, self.value() + 1)

    def value(self):
        return struct.unpack_from("=q", self.map, 0)[0]
