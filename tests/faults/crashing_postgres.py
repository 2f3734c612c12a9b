"""A Postgres of the suite's own, to be crashed: its data are kept, and nothing of it is fast."""

import asyncio
import os
import signal
from pathlib import Path

from sqlalchemy.engine import make_url

from chatbridge.adapters.embedded.server import EmbeddedPostgres
from tests.ports import held


class CrashingPostgres:
    """On one port for all its lives."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server = EmbeddedPostgres(directory)
        # also while it is down: those who look for it there would take it for an end of their own
        held(make_url(self._server.url).port or 0)
        self.crashes = 0

    @property
    def url(self) -> str:
        """Of its database."""
        return self._server.url

    async def start(self) -> None:
        """Take connections."""
        await asyncio.to_thread(self._server.start)

    async def crash(self) -> None:
        """`pg_ctl stop -m immediate`: every backend gone at once, nothing written; start again."""
        await self.stop_now()
        # whoever watched over it is gone too, before there is another one
        await self.stop()
        await self.start()

    async def stop_now(self) -> None:
        """The first half of a crash."""
        self.crashes += 1
        pid = int((self._directory / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        while _lives(pid):  # noqa: ASYNC110 - not our child
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Shut down in good order."""
        await asyncio.to_thread(self._server.stop)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
