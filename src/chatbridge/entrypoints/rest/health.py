"""Signs of life for whoever watches over the process."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from chatbridge.domain.model import refusals
from chatbridge.entrypoints.openapi import STORE, problems
from chatbridge.entrypoints.rest.schemas import HealthOut


def health_router(require_ready: Callable[[], Awaitable[None]]) -> APIRouter:
    """The router of /healthz and /readyz; `require_ready` raises Unavailable while not ready."""
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
    async def readyz() -> HealthOut:
        """Whether the database answers with the schema that this version needs, and the server is
        not about to stop."""
        await require_ready()
        return HealthOut(status="ready")

    return router
