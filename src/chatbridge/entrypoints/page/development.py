"""Signing in without a sign-in: a token for whoever has the key of this start.

The key is in the address that was printed at the start, so where a request comes from says nothing:
a proxy, a page of another site and another user of the machine don't have it.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from chatbridge.entrypoints.bodies import Body, guarded_request
from chatbridge.entrypoints.openapi import BODY, problems
from chatbridge.entrypoints.page.key import Key
from chatbridge.ports.token_issuer import TokenIssuer

LIFETIME = timedelta(hours=24)

_key = HTTPBearer(
    scheme_name="developmentKey",
    auto_error=False,
    description="The key in the address that was printed when chatbridge was started.",
)


class DevelopmentTokenBody(Body):
    """Whom to be."""

    user: str = Field(examples=["alice"])


class DevelopmentTokenOut(BaseModel):
    """A token of this installation's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "eyJhbGciOiJIUzI1NiJ9.e30.signature", "expires_at": 1767323645}]
        }
    )

    token: str
    expires_at: int = Field(description="Unix time, seconds.")


class DevelopmentOut(BaseModel):
    """Where a program of the same user finds the key."""

    directory: str = Field(
        description="The key is in its file `key-PORT`, which only the server's user may read.",
        examples=["/srv/shop/.chatbridge"],
    )


def development_router(issuer: TokenIssuer, key: Key) -> APIRouter:
    """The router of /development and /development/token; for the development environment only."""

    def require_key(request: Request) -> None:
        _require_own_page(request)
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            raise refusals.key_missing()
        if scheme.lower() != "bearer" or not key.fits(shown.strip()):
            raise refusals.wrong_key()

    router = APIRouter(tags=["development"])
    keyed = APIRouter(route_class=_guarded(require_key))
    keyless = APIRouter(route_class=_guarded(_require_own_page))

    @keyless.get(
        "/development",
        operation_id="findDevelopmentKey",
        summary="Where is the key kept?",
        responses=problems(refusals.foreign_origin),
    )
    async def find_key() -> DevelopmentOut:
        """Where a program of the user who has started chatbridge finds the key, which nobody else
        can read there. `chatbridge chat` asks for it."""
        return DevelopmentOut(directory=str(key.directory))

    @keyed.post(
        "/development/token",
        operation_id="createDevelopmentToken",
        summary="Be somebody",
        responses=problems(
            refusals.key_missing,
            refusals.wrong_key,
            refusals.foreign_origin,
            *BODY,
            refusals.invalid_user_id,
        ),
        dependencies=[Depends(_key)],
    )
    async def create_token(body: DevelopmentTokenBody) -> DevelopmentTokenOut:
        """A token for any user, good for a day: in development, for whoever has the key that was
        printed at the start."""
        caller = Caller(user_id=UserId(body.user))
        issued = issuer.issue(caller, audience=DEVELOPMENT, lifetime=LIFETIME)
        return DevelopmentTokenOut(
            token=issued.token, expires_at=int(issued.expires_at.timestamp())
        )

    router.include_router(keyless)
    router.include_router(keyed)
    return router


def _guarded(require: Callable[[Request], None]) -> type[APIRoute]:
    """A route class that asks `require` before anything of the body is read."""

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def guard(request: Request) -> Response:
                require(request)
                return await handle(await guarded_request(request))

            return guard

    return GuardedRoute


def _require_own_page(request: Request) -> None:
    # what a browser says for a page of another site; programs say nothing
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise refusals.foreign_origin()
