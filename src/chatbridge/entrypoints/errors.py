"""Refusals as problem documents (RFC 9457) with a stable code: one table for all surfaces."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from chatbridge.domain.model import errors

_log = logging.getLogger(__name__)

STATUS: dict[type[errors.ChatbridgeError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TurnLost: 409,
    errors.Invalid: 422,
    errors.AgentFailed: 502,
    errors.Unavailable: 503,
}
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}
_HTTP_CODES = {400: "malformed_json", 404: "no_such_path", 405: "method_not_allowed"}


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["urn:chatbridge:problem:turn_running"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    code: str = Field(description="Stable, for programs.", examples=["turn_running"])
    detail: str = Field(
        description="For people: what is wrong and what to do.",
        examples=["A turn is running in this conversation: wait for its end, or cancel it."],
    )


class Refused(Exception):
    """Something that HTTP itself, not the domain, must refuse."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def problem(status: int, code: str, detail: str) -> Response:
    """The problem as a response."""
    document = Problem(
        type=f"urn:chatbridge:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
    )
    return JSONResponse(
        document.model_dump(),
        status,
        headers=_HEADERS.get(status),
        media_type="application/problem+json",
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation's documentation says of these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in statuses
    }


def sentence(error: ValidationError | RequestValidationError) -> str:
    """What is wrong with an input and where, without repeating the input."""
    faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return "; ".join(faults) or "The request can't be read."


def add_error_handlers(app: FastAPI) -> None:
    """Answer every refusal with a problem document."""
    app.add_exception_handler(errors.ChatbridgeError, _domain)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _domain(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ChatbridgeError)  # noqa: S101  # registered for no other
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return problem(status, error.code, error.detail)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  # registered for no other
    return problem(error.status, error.code, error.detail)


async def _validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for no other
    malformed = any(e["type"] == "json_invalid" for e in error.errors())
    return problem(422, "malformed_json" if malformed else "invalid_request", sentence(error))


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for no other
    code = _HTTP_CODES.get(error.status_code, "http_error")
    return problem(error.status_code, code, str(error.detail))


async def _unexpected(_: Request, error: Exception) -> Response:
    _log.error("unexpected %s", type(error).__name__)
    return problem(500, "internal_error", "Something went wrong here; it has been logged.")
