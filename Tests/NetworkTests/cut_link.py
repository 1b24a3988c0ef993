"""A link between a worker and a coordinator that can be cut: a forwarder of TCP connections."""

import selectors
import socket
import threading


class CutLink:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.target = None
        self.pairs, self.lock = [], threading.Lock()
        self.connected = threading.Event()
        self.is_open = True

    def lead_to(self, port):
        self.target = port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.is_open:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                continue
            with self.lock:
                self.pairs.append((near, far))
            threading.Thread(target=self.carry, args=(near, far), daemon=True).start()

    def carry(self, near, far):
        with selectors.DefaultSelector() as selector:
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            try:
                while True:
                    for key, _ in selector.select():
                        data = key.fileobj.recv(65_536)
                        if not data:
                            return
                        key.data.sendall(data)
                        # Whatever has passed both ways is more than a handshake.
                        if key.fileobj is far:
                            self.connected.set()
            except OSError:
                pass
            finally:
                near.close()
                far.close()

    def await_connection(self):
        if not self.connected.wait(60):
            raise AssertionError("no connection came")

    def cut(self):
        self.connected.clear()
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.is_open = False
        self.listener.close()
        self.cut()
