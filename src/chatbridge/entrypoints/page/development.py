"""Signing in without a sign-in: a token for whoever sits at this machine.

A page of another site runs in a browser on this machine too. It can't send JSON without being asked
whether it may (which is never answered), names its own origin, and where it has made its own name
lead to 127.0.0.1 (DNS rebinding) it names that host. Each of the three is refused for itself.
"""

import re
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from chatbridge.entrypoints.authentication import from_loopback
from chatbridge.entrypoints.bodies import guarded_request
from chatbridge.entrypoints.openapi import BODY, problems
from chatbridge.ports.token_issuer import TokenIssuer

LIFETIME = timedelta(hours=1)

_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_PROXIED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class DevelopmentTokenBody(BaseModel):
    """Whom to be."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(examples=["alice"])


class DevelopmentTokenOut(BaseModel):
    """A token of this machine's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "eyJhbGciOiJIUzI1NiJ9.e30.signature", "expires_at": 1767323645}]
        }
    )

    token: str
    expires_at: int = Field(description="Unix time, seconds.")


class _LoopbackRoute(APIRoute):
    """Refuses whoever is not at this machine, before anything of the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guard(request: Request) -> Response:
            _require_here(request)
            return await handle(await guarded_request(request))

        return guard


def development_router(issuer: TokenIssuer) -> APIRouter:
    """The router of POST /development/token; for the development environment only."""
    router = APIRouter(route_class=_LoopbackRoute, tags=["development"])

    @router.post(
        "/development/token",
        operation_id="createDevelopmentToken",
        summary="Be somebody",
        responses=problems(
            refusals.not_loopback,
            refusals.foreign_host,
            refusals.foreign_origin,
            *BODY,
            refusals.invalid_user_id,
        ),
    )
    async def create_token(body: DevelopmentTokenBody, response: Response) -> DevelopmentTokenOut:
        """A token for any user, good for an hour: in development, on the machine that chatbridge
        runs on, and for its own page or a program."""
        caller = Caller(user_id=UserId(body.user))
        issued = issuer.issue(caller, audience=DEVELOPMENT, lifetime=LIFETIME)
        response.headers["Cache-Control"] = "no-store"
        return DevelopmentTokenOut(
            token=issued.token, expires_at=int(issued.expires_at.timestamp())
        )

    return router


def _require_here(request: Request) -> None:
    headers = request.headers
    host = headers.get("host", "")
    origin = headers.get("origin")
    if not from_loopback(request) or any(name in headers for name in _PROXIED):
        raise refusals.not_loopback()
    if not _LOOPBACK_HOST.fullmatch(host):
        raise refusals.foreign_host()
    if origin is not None and origin.lower() != f"{request.url.scheme}://{host}".lower():
        raise refusals.foreign_origin()
