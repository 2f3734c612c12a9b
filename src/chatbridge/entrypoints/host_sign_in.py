"""The sign-in of an application that chatbridge is a part of: a function from request to user.

It is mostly a cookie, which a browser sends for pages of other sites too. So what changes something
is refused to those, as Go's `net/http.CrossOriginProtection` does it: by what the browser says of
the page that asks, or, where it says nothing, by the page's origin. A bearer token is no cookie: no
page of another site can add one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import UserId, is_user_id
from chatbridge.ports.host_code import brought

User = Caller | str | int | UUID
SignedIn = Callable[[Any], User | Awaitable[User | None] | None]
"""Given Starlette's request, it answers who has sent it: an id, or a Caller with claims; None for
nobody. A function that is not async is called in a thread, as FastAPI does it."""

_CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")
_OWN_PAGES = ("same-origin", "none")


class HostSignIn:
    """Asks the application; `origins` are those of further pages that may act for their users."""

    def __init__(self, signed_in: SignedIn, origins: Sequence[str] = ()) -> None:
        self._signed_in = signed_in
        self._origins = frozenset(origins)

    async def caller(self, request: Request) -> Caller:
        """Who has sent it. Raises Unauthenticated, Forbidden, and whatever the application does."""
        if request.method not in _CHANGES_NOTHING:
            self._require_own_page(request)
        user = await self._asked(Request({**request.scope, "app": _host_of(request)}))
        if user is None:
            raise refusals.not_signed_in()
        named = user if isinstance(user, Caller) else Caller(user_id=UserId(_id_of(user)))
        caller = replace(named, user_id=UserId(_id_of(named.user_id)))
        if not is_user_id(caller.user_id):
            raise refusals.invalid_user_id()
        _require_same(request, caller)
        return caller

    async def _asked(self, request: Request) -> User | None:
        if iscoroutinefunction(self._signed_in):
            return await brought(self._signed_in, request)
        found = await brought(run_in_threadpool, self._signed_in, request)
        return await brought(lambda: found)

    def _require_own_page(self, request: Request) -> None:
        headers = request.headers
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in _OWN_PAGES or origin in self._origins or shows_token(request):
            return
        own = origin is None or origin.partition("://")[2] == headers.get("host")
        if site is not None or not own:
            raise refusals.foreign_site()


def shows_token(request: Request) -> bool:
    """Whether a bearer token is among the headers; by itself a browser never sends one."""
    return request.headers.get("authorization", "").partition(" ")[0].lower() == "bearer"


def _require_same(request: Request, caller: Caller) -> None:
    # a page is made for one person, and its cookie may be another's by now
    if request.headers.get("x-chatbridge-user", caller.user_id) != caller.user_id:
        raise refusals.another_user()


def _id_of(user: object) -> str:
    # a bool is an int, and whoever answers True has not said who it is
    if isinstance(user, bool) or not isinstance(user, str | int | UUID):
        raise TypeError(
            "The application's authenticator answers a user's id, a chatbridge.Caller, or None; "
            f"not what is of type {type(user).__name__}."
        )
    return str(user)


def _host_of(request: Request) -> Any:
    """The application that we are mounted in: its state is what the function knows."""
    return request.scope.get("chatbridge.host") or request.scope.get("app")
