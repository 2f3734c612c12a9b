"""Replicas that start in a quarter of a second: forked from a process that has loaded chatbridge.

Each is a process of its own that runs `chatbridge serve`. Asked with a line of JSON (`environment`,
`directory`, `patch`), it answers with the new process's id.
"""

import ctypes
import gc
import json
import os
import random
import signal
import sys
from typing import Any

import chatbridge.main  # noqa: F401  # all that a server loads, before there is any
from tests.faults import child
from tests.faults.replica import serve

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Fork as often as is asked, until our parent has gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    child.say("loaded")
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wish)
        child.say(pid)


def _become(wish: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    # it ends with us, however we end; Linux alone has this
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.chdir(wish["directory"])
    log = os.open("server.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, log, log)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(wish["environment"])
    random.seed()
    try:
        serve()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
