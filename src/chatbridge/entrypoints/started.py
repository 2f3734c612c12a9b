"""An application whose lifespan nobody has entered says so, in place of half an answer."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from chatbridge.domain.model import refusals
from chatbridge.entrypoints.errors import answer_of

# pages, their files and signs of life need nothing that is opened
_NEEDS_A_START = re.compile(r"/(chatkit|api|mcp|readyz)(/.*)?")


class Start:
    """Whether everything is open."""

    def __init__(self) -> None:
        self._is_open = False

    @contextmanager
    def made(self) -> Generator[None]:
        """It is, for as long as the context lasts."""
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    def __bool__(self) -> bool:
        return self._is_open


def require_start(app: FastAPI, start: Start) -> None:
    """Answer 503 to what needs more than is open."""
    app.add_middleware(_Started, start=start)


class _Started:
    def __init__(self, app: ASGIApp, start: Start) -> None:
        self._app = app
        self._start = start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self._start or scope["type"] != "http" or not _needs_a_start(scope)
        app = self._app if ready else answer_of(refusals.not_started())
        await app(scope, receive, send)


def _needs_a_start(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return bool(_NEEDS_A_START.fullmatch(path))
