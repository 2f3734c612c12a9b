"""Signs of life for whoever watches over the process."""

from asyncio import Lock
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.tool import LeftOut
from chatbridge.entrypoints.openapi import STORE, problems
from chatbridge.entrypoints.rest.examples import example

_MOST_NAMED = 100
_GOOD_FOR = 1.0


class HealthOut(BaseModel):
    """A sign of life."""

    model_config = example({"status": "ok"})

    status: Literal["ok"]


class LeftOutOut(BaseModel):
    """A tool of a tool server, or of an agent, that no model is offered."""

    source: str
    tool: str
    reason: str


class ReadyOut(BaseModel):
    """It can serve; and what it serves without."""

    model_config = example({"status": "ready", "tools_left_out": []})

    status: Literal["ready"]
    tools_left_out: list[LeftOutOut]


def recently(ask: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Asks once a second at most, however many want to know: they need no token."""
    asking = Lock()
    asked_at, refusal = -_GOOD_FOR, None

    async def answer() -> None:
        nonlocal asked_at, refusal
        async with asking:
            if monotonic() - asked_at >= _GOOD_FOR:
                refusal = await _refusal(ask)
                asked_at = monotonic()
        if refusal:
            raise refusal.with_traceback(None)

    return answer


async def _refusal(ask: Callable[[], Awaitable[None]]) -> Unavailable | None:
    try:
        await ask()
    except Unavailable as error:
        return error
    return None


def health_router(
    require_ready: Callable[[], Awaitable[None]], left_out: Callable[[], Sequence[LeftOut]]
) -> APIRouter:
    """The router of /healthz and /readyz; `require_ready` raises Unavailable while not ready.

    `left_out` are the tools that no model is offered, of the lists that have been asked for, and
    those that the model endpoint refuses.
    """
    router = APIRouter(tags=["health"])

    @router.get("/healthz", operation_id="isAlive", summary="Is the process alive?")
    async def healthz() -> HealthOut:
        """Asks nothing of the database."""
        return HealthOut(status="ok")

    @router.get(
        "/readyz",
        operation_id="isReady",
        summary="Can it serve?",
        responses=problems(*STORE, refusals.database_slow, refusals.stopping),
    )
    async def readyz() -> ReadyOut:
        """Whether the database answers with the schema that this version needs, and the server is
        not about to stop. The database is asked once a second at most. `tools_left_out` names the
        tools of tool servers and of agents that no model is offered, and why; where the model
        endpoint refuses a tool, or all of them (`*`), `source` is its host. It takes nothing from
        being ready."""
        await require_ready()
        tools = [
            LeftOutOut(source=each.source, tool=each.tool, reason=each.reason)
            for each in left_out()[:_MOST_NAMED]
        ]
        return ReadyOut(status="ready", tools_left_out=tools)

    return router
