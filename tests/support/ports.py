"""Ports for test servers."""

import random
import socket


def free_port():
    """A free port below the ephemeral range, where no outgoing connection gets one by chance."""
    for _ in range(200):
        port = random.randint(15000, 31000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port between 15000 and 31000")
