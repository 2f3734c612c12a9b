"""What one call asks of a person while it goes on: time that it does not lose, and no longer."""

import asyncio

from chatbridge.adapters.mcp.patience import Patience
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.tool import Ask


class OpenQuestions:
    """The questions of a call that are not answered yet. A person has `longest` seconds for each,
    of which the call's `patience` loses nothing.
    """

    def __init__(self, ask: Ask, patience: Patience, longest: float) -> None:
        self._ask = ask
        self._patience = patience
        self._longest = longest
        self._open: dict[asyncio.Timeout, asyncio.Event] = {}

    async def ask(self, form: Form) -> Answers | None:
        """Ask, like any `Ask`. Raises TimeoutError also where the call ends first."""
        over = asyncio.Event()
        with self._patience.paused():
            async with asyncio.timeout(self._longest) as limit:
                self._open[limit] = over
                try:
                    return await self._ask(form)
                finally:
                    del self._open[limit]
                    over.set()

    # a server may go on without the answer: its connection can outlive the call
    async def close(self) -> None:
        """The call has ended: so has what it asked, before anything else is said."""
        waiting = dict(self._open)
        for limit in waiting:
            if not limit.expired():
                limit.reschedule(0)
        for over in waiting.values():
            await over.wait()
