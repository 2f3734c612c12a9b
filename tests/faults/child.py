"""What every helper process of the suite does: says its port, notes what it sees, ends with us."""

import asyncio
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn


class Notes:
    """A log of JSON lines that survives whatever happens to its reader.

    `at` is the machine's monotonic clock, which all processes share.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, did: str, **more: Any) -> None:
        """Note that something happened, now."""
        line = json.dumps({"at": time.monotonic(), "did": did, **more})
        self._file.write(line.encode() + b"\n")


def serve(app: Any) -> None:
    """Serve an ASGI app on a free port, printed first, until our parent has gone."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    say(listening.getsockname()[1])
    end_with_parent()
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_keep_alive=60)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def end_with_parent() -> None:
    """End this process as soon as its standard input has ended."""
    threading.Thread(target=_end_at_eof, daemon=True).start()


def say(word: object) -> None:
    """Tell the parent."""
    print(word, flush=True)


def _end_at_eof() -> None:
    while sys.stdin.buffer.readline():
        pass
    os._exit(0)
