"""A loop for the host's code alone: what blocks there holds up no lease and no viewer."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from chatbridge.ports.host_code import brought

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Work:
    """Something that runs in the host's loop, as this loop sees it."""

    def __init__(self, there: asyncio.AbstractEventLoop) -> None:
        self._there = there
        self._task: asyncio.Task[Any] | None = None
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def begin(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """In the host's loop: begin it, and tell this one how it ends."""
        here = self.ended.get_loop()

        def told(task: asyncio.Task[Any]) -> None:
            here.call_soon_threadsafe(self._end, task)

        self._task = self._there.create_task(brought(work))
        self._task.add_done_callback(told)

    def cancel(self) -> None:
        """Have it told to stop."""

        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()

        self._there.call_soon_threadsafe(cancel)

    def _end(self, task: asyncio.Task[Any]) -> None:
        if self.ended.done():
            return
        if task.cancelled():
            self.ended.cancel()
        elif error := task.exception():
            self.ended.set_exception(error)
            # whoever has gone away does not ask
            self.ended.exception()
        else:
            self.ended.set_result(task.result())


class HostLoop:
    """`own`: a thread with a loop, made when it is first needed; else the loop of who asks."""

    def __init__(self, *, own: bool) -> None:
        self.own = own
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Work:
        """Run it there."""
        there = self._running()
        begun = Work(there)
        there.call_soon_threadsafe(begun.begin, work)
        return begun

    def _running(self) -> asyncio.AbstractEventLoop:
        if not self.own:
            return asyncio.get_running_loop()
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_run, args=(self._loop,), name="host", daemon=True).start()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """For ever, whatever a task that the host has made does."""
    while True:
        try:
            return loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            _log.error("a task of the host's has left", exc_info=error)


async def across(home: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """What is to be done in the loop `home`, whichever loop asks for it."""
    if home is asyncio.get_running_loop():
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, home))
