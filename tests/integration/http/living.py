"""An app that lives in this process, without a server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def living(app: FastAPI) -> AsyncGenerator[None]:
    """Its lifespan, which the task that has entered it must leave: a fixture has several."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    await started.wait()
    yield
    stop.set()
    await life
