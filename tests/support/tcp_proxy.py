"""A TCP relay in the test's own process, so that a test can cut, stall or refuse connections."""

import select
import socket
import threading


class Proxy:
    """Listens on 127.0.0.1:port and relays to `target` (port of 127.0.0.1)."""

    def __init__(self, target):
        self.target = target
        self.refuse = False
        self.cut_after = None  # bytes towards the client, then every connection is cut once
        self.on_request = None  # is called with what a client sends, before it is passed on
        self._pairs, self._lock, self._closed = [], threading.Lock(), False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            threading.Thread(target=self._relay, args=(client, server), daemon=True).start()

    def _relay(self, client, server):
        passed = 0
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [], 60)
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        if self.on_request:
                            self.on_request(data)
                        server.sendall(data)
                        continue
                    passed += len(data)
                    if self.cut_after is not None and passed > self.cut_after:
                        client.sendall(data[: len(data) // 2])  # in the midst of a packet
                        self.cut_after = None
                        return
                    client.sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            for s in (client, server):
                s.close()
            with self._lock:
                if (client, server) in self._pairs:
                    self._pairs.remove((client, server))

    def cut(self):
        """Ends every connection, as a pulled cable or a firewall does."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.cut()
        self._listener.close()
