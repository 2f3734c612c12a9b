"""Waiting for what nobody tells of."""

import asyncio
from collections.abc import Callable

PATIENCE = 15.0


async def until(happened: Callable[[], object]) -> None:
    """Look until it is so; TimeoutError where it never is."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110  # what it looks at tells nobody
            await asyncio.sleep(0.005)
