"""Refusals as problem documents (RFC 9457) with a stable code: one table for all surfaces.

What HTTP itself refuses is said here; everything else in `domain/model/refusals`.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbridge.domain.model import errors, refusals
from chatbridge.domain.model.limits import MAX_BODY, MAX_DEPTH, MAX_HEAD, MAX_HEADERS, MAX_VALUES
from chatbridge.domain.model.refusals import Refusal

_log = logging.getLogger(__name__)


class NoSuchMethod(errors.ChatbridgeError):
    """The path is there and does not take this method."""


class TooLarge(errors.ChatbridgeError):
    """The body is over the limit."""


class HeadTooLarge(errors.ChatbridgeError):
    """The address and the headers are over the limit."""


class NotJson(errors.ChatbridgeError):
    """The body is of another media type."""


class NotServed(errors.ChatbridgeError):
    """The protocol has it, this server does not."""


STATUS: dict[type[errors.ChatbridgeError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TurnLost: 409,
    errors.Invalid: 422,
    errors.AgentFailed: 502,
    errors.Unavailable: 503,
    NoSuchMethod: 405,
    TooLarge: 413,
    HeadTooLarge: 431,
    NotJson: 415,
    NotServed: 501,
    errors.ChatbridgeError: 500,
}

no_such_path = Refusal(errors.NotFound, "no_such_path", "There is nothing at this path.")
no_such_method = Refusal(NoSuchMethod, "method_not_allowed", "This path does not take this method.")
too_large = Refusal(
    TooLarge, "too_large", f"This is too large: a request has at most {MAX_BODY:,} bytes."
)
too_complex = Refusal(
    TooLarge,
    "too_complex",
    f"This is too complex: a request has at most {MAX_VALUES:,} values in {MAX_DEPTH} levels.",
)
head_too_large = Refusal(
    HeadTooLarge,
    "head_too_large",
    f"The address and the headers of a request have at most {MAX_HEAD:,} bytes, in "
    f"{MAX_HEADERS} headers.",
)
not_json = Refusal(NotJson, "unsupported_media_type", "Send JSON: Content-Type: application/json.")
not_served = Refusal(
    NotServed, "not_implemented", "{} is not served here.", example=("threads.custom_action",)
)
no_dictation = Refusal(
    NotServed,
    "dictation_not_configured",
    "Dictation is not set up here: it needs a model that writes down speech, which "
    "CHATBRIDGE_DICTATION__MODEL names. The offline model can't.",
)
internal_error = Refusal(
    errors.ChatbridgeError,
    "internal_error",
    "Something went wrong here; it has been logged.",
)

_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What every answer says that says nothing else of it: nobody keeps it, nobody guesses at it."""

# as RFC 9110 has them: Python renames them from version to version
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_HTTP = {404: no_such_path, 405: no_such_method}


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["urn:chatbridge:problem:turn_running"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    code: str = Field(description="Stable, for programs.", examples=["turn_running"])
    detail: str = Field(
        description="For people: what is wrong and what to do.",
        examples=[refusals.turn_running.sentence],
    )


def answer_of(error: errors.ChatbridgeError) -> Response:
    """The refusal as a response."""
    return _answer(problem_of(error))


def title_of(status: int) -> str:
    """The name of a status, on every Python the same."""
    known = status in HTTPStatus.__members__.values()
    return _TITLES.get(status) or (HTTPStatus(status).phrase if known else f"Status {status}")


def status_of(kind: type[errors.ChatbridgeError]) -> int:
    """The status of its nearest kin."""
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)


def problem_of(error: errors.ChatbridgeError) -> Problem:
    """The refusal as a document."""
    return _problem(status_of(type(error)), error.code, error.detail)


def _problem(status: int, code: str, detail: str) -> Problem:
    return Problem(
        type=f"urn:chatbridge:problem:{code}",
        title=title_of(status),
        status=status,
        code=code,
        detail=detail,
    )


def sentence(error: ValidationError | RequestValidationError) -> str:
    """What is wrong first with an input and where, without repeating the input."""
    return _fault(error.errors()[0])


def _fault(error: Mapping[str, Any]) -> str:
    # a place may be a name of the caller's, of any length
    where = ".".join(str(part)[:40] for part in error["loc"])
    what = error["msg"]
    if error["type"] == "union_tag_invalid":
        what = "{discriminator} must be one of {expected_tags}".format(**error["ctx"])
    return f"{where}: {what}" if where else what


def add_error_handlers(app: FastAPI) -> None:
    """Answer every refusal with a problem document."""
    app.add_exception_handler(errors.ChatbridgeError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(_Unexpected)


async def _domain(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ChatbridgeError)  # noqa: S101  # registered for no other
    return answer_of(error)


async def _validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for no other
    return _answer(problem_of(refusals.invalid_request(sentence(error))))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for no other
    headers = _allowed(request) if error.status_code == 405 else error.headers
    # what the framework raises has no words of its own; what a host's code raises may have
    said = error.detail if error.detail != title_of(error.status_code) else ""
    if (refusal := _HTTP.get(error.status_code)) and not said:
        return _answer(problem_of(refusal()), headers)
    return _answer(_problem(error.status_code, "http_error", _worded(error.detail)), headers)


def _worded(detail: Any) -> str:
    return detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)


def _allowed(request: Request) -> Mapping[str, str]:
    """All methods of the path: the framework names those of its first route only."""
    routes = request.app.routes
    asked = [(method, {**request.scope, "method": method}) for method in _METHODS]
    found = [m for m, scope in asked if any(r.matches(scope)[0] is Match.FULL for r in routes)]
    return {"Allow": ", ".join(found)}


class _Unexpected:
    """Tells of an error that nobody has expected where it is known which request it ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def send_noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            _log.error("a request was not answered", exc_info=error)
            if began or scope["type"] != "http":
                raise
            await _answer(problem_of(internal_error()))(scope, receive, send)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(
        problem.model_dump(),
        problem.status,
        headers={**_HEADERS.get(problem.status, {}), **(headers or {})},
        media_type="application/problem+json",
    )
