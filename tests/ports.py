"""Ports of 127.0.0.1 that are chosen now and listened on later, or again."""

import socket
import sys

_HELD: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that stays the caller's."""
    return held(0)


def held(port: int) -> int:
    """Keep the port (0: any that is free) for whoever is to listen on it.

    Until this process ends no other one is given it that asks for any port, nor a connection for
    its own end. Elsewhere than on Linux a port that is bound can't be listened on by another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        if sys.platform == "linux":
            _HELD.append(probe.dup())
        return int(probe.getsockname()[1])
