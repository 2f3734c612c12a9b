"""The gate in front of every route but health: who is calling, and may this come in at all?

A route of the class that `guarded` makes answers 401, 403, 415 and 413 before it reads or parses
anything of the body, so that nobody unknown can make the server work.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Depends, Path, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import UserId
from chatbridge.entrypoints.bodies import Place, guarded_request
from chatbridge.entrypoints.host_sign_in import HostSignIn
from chatbridge.ports.authenticator import Authenticator

_bearer = HTTPBearer(
    scheme_name="userToken",
    auto_error=False,
    bearerFormat="JWT",
    description="The token of the configured sign-in, as Better Auth issues it.",
)


class Gate:
    """Who is calling: by a token, or as the application that we are a part of knows them.

    `host` is its sign-in. What chatbridge itself has given out, a chat session above all, is good
    beside it, and no other token is.
    """

    def __init__(self, tokens: Authenticator, host: HostSignIn | None = None) -> None:
        self._tokens = tokens
        self._host = host

    async def caller(self, request: Request, *, services: bool) -> Caller:
        """Who is calling; `services` is as in `guarded`. Raises like both sign-ins."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if self._host and not (token and self._tokens.issued(token)):
            return await self._host.caller(request)
        if not token:
            raise refusals.token_missing()
        return await self._tokens.authenticate(
            token, service_for=request.path_params.get("user_id") if services else None
        )


def guarded(
    gate: Gate,
    *,
    sessions: bool = False,
    services: bool = False,
    json: bool = True,
    long: Place | None = None,
) -> type[APIRoute]:
    """A route class that lets in only callers whom the gate knows.

    The path's `user_id`, if it has one, must be the caller's own, and its `thread_id` the one
    that a session is bound to. `sessions` says whether a chat session's secret is good here too;
    `services` whether a service key is, which is good for whichever user the path names. Without
    `json` a body may be anything, and the route bounds it itself; `long` is as in `parsed`.
    """

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def guard(request: Request) -> Response:
                caller = await gate.caller(request, services=services)
                _require_own_path(caller, request, sessions=sessions)
                request.state.caller = caller
                return await handle(await guarded_request(request, long) if json else request)

            return guard

    return GuardedRoute


async def current_caller(request: Request, _: object = Depends(_bearer)) -> Caller:
    """The caller whom the route's guard has let in."""
    return request.state.caller


async def current_user(
    user_id: str = Path(description="The caller's own id, as the token names it."),
    caller: Caller = Depends(current_caller),
) -> UserId:
    """The user on whose behalf the request is made; the guard has compared the path's id."""
    return caller.user_id


def require_bound(thread_id: str | None, caller: Caller) -> None:
    """Raises Forbidden where the caller's session is for another conversation."""
    if caller.conversation_id not in (None, thread_id):
        raise refusals.session_is_bound()


def _require_own_path(caller: Caller, request: Request, *, sessions: bool) -> None:
    if caller.via == "session" and not sessions:
        raise refusals.session_not_accepted()
    if request.path_params.get("user_id", caller.user_id) != caller.user_id:
        raise refusals.not_your_account()
    if "thread_id" in request.path_params:
        require_bound(request.path_params["thread_id"], caller)
