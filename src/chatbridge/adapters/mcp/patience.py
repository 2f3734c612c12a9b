"""How long a call may take: a while without a sign of life, and not for ever with them."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Patience:
    """A time limit that each sign of life puts off, up to `longest`; in seconds.

    Leaving it raises TimeoutError when it was reached; `waited` is then what it was.
    """

    def __init__(self, timeout: float, longest: float) -> None:
        self.waited = timeout
        self._timeout = timeout
        self._longest = max(timeout, longest)
        self._pauses = 0

    async def __aenter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        self._limit = asyncio.timeout(self._timeout)
        await self._limit.__aenter__()
        self._over = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._over = True
        return await self._limit.__aexit__(kind, error, trace)

    @contextmanager
    def paused(self) -> Generator[None]:
        """As long as this lasts, no time passes."""
        began = asyncio.get_running_loop().time()
        self._pauses += 1
        self._limit.reschedule(None)
        try:
            yield
        finally:
            self._pauses -= 1
            self._began += asyncio.get_running_loop().time() - began
            self.alive()

    def alive(self) -> None:
        """There was a sign of life."""
        if self._over or self._pauses or self._limit.expired():
            return
        now = asyncio.get_running_loop().time()
        end = min(now + self._timeout, self._began + self._longest)
        self.waited = round(end - self._began, 1)
        self._limit.reschedule(end)
