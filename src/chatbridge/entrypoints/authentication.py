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
from chatbridge.entrypoints.bodies import guarded_request
from chatbridge.ports.authenticator import Authenticator

_bearer = HTTPBearer(
    scheme_name="userToken",
    auto_error=False,
    bearerFormat="JWT",
    description="The token of the configured sign-in, as Better Auth issues it.",
)


def guarded(
    authenticator: Authenticator, *, sessions: bool = False, services: bool = False
) -> type[APIRoute]:
    """A route class that lets in only callers with a good token.

    The path's `user_id`, if it has one, must be the token's subject, and its `thread_id` the one
    that a session is bound to. `sessions` says whether a chat session's secret is good here too;
    `services` whether a service key is, which is good for whichever user the path names.
    """

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def guard(request: Request) -> Response:
                caller = await _authenticate(authenticator, request, services=services)
                _require_own_path(caller, request, sessions=sessions)
                request.state.caller = caller
                return await handle(await guarded_request(request))

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


async def _authenticate(
    authenticator: Authenticator, request: Request, *, services: bool
) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise refusals.token_missing()
    return await authenticator.authenticate(
        token.strip(),
        service_for=request.path_params.get("user_id") if services else None,
    )


def _require_own_path(caller: Caller, request: Request, *, sessions: bool) -> None:
    if caller.via == "session" and not sessions:
        raise refusals.session_not_accepted()
    if request.path_params.get("user_id", caller.user_id) != caller.user_id:
        raise refusals.not_your_account()
    if "thread_id" in request.path_params:
        require_bound(request.path_params["thread_id"], caller)
