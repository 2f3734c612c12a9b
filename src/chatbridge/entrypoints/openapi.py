"""The contract of the HTTP surface, as it is published and kept in contracts/."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.routing import Route

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.refusals import Refusal
from chatbridge.entrypoints.errors import (
    Problem,
    internal_error,
    not_json,
    problem_of,
    status_of,
    title_of,
    too_complex,
    too_large,
)

Schema = dict[str, Any]

_PROBLEM = "application/problem+json"

_DESCRIPTION = """\
Conversations with an assistant, every message and tool call of them kept in Postgres.

A page built with ChatKit talks to `POST /chatkit`; everything else may use the REST API. Both see
the same conversations. Who is calling says a bearer token, or, as a part of an application, that
one's own sign-in; the `user_id` of a path must be the caller's own. Every refusal is a problem
document (RFC 9457) with a stable `code`."""

_TAGS = [
    {"name": "chatkit", "description": "For pages built with ChatKit."},
    {"name": "chat", "description": "One turn: a message and its answer."},
    {"name": "attachments", "description": "Files that people bring."},
    {"name": "conversations", "description": "What is kept of them."},
    {"name": "tasks", "description": "What the bundled tools have kept."},
    {
        "name": "development",
        "description": "Signing in without a sign-in; in development, by the key of the start.",
    },
    {"name": "health", "description": "For whoever watches over the process; asks for no token."},
]

_CLIENT_SECRET = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The `client_secret` of a chat session.",
}

_SERVICE_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of a host's back end (`chatbridge service-key`), good for any user.",
}

_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "example": "Bearer"}},
    503: {
        "Retry-After": {
            "description": "Seconds.",
            "schema": {"type": "integer"},
            "example": 1,
        }
    },
}

SIGN_IN = (
    refusals.token_missing,
    refusals.token_malformed,
    refusals.wrong_type,
    refusals.wrong_algorithm,
    refusals.unknown_key,
    refusals.bad_signature,
    refusals.claim_missing,
    refusals.claim_invalid,
    refusals.wrong_issuer,
    refusals.wrong_audience,
    refusals.token_expired,
    refusals.token_not_yet_valid,
    refusals.token_lifetime,
    refusals.development_token,
    refusals.sign_in_not_configured,
    refusals.unknown_service_key,
    refusals.sign_in_unavailable,
    refusals.not_signed_in,
    refusals.foreign_site,
    refusals.another_user,
)
"""Why nobody is known to be asking."""

TOKEN = (
    *SIGN_IN,
    refusals.session_not_accepted,
    refusals.service_key_not_accepted,
    refusals.not_your_account,
)
"""Why a caller may not even ask."""

BODY = (
    too_large,
    too_complex,
    refusals.text_too_long,
    not_json,
    refusals.malformed_json,
    refusals.unstorable,
    refusals.invalid_number,
    refusals.invalid_request,
)
"""Why a body is not read, or not understood."""

STORE = (
    refusals.not_started,
    refusals.database_unavailable,
    refusals.schema_missing,
    refusals.database_refused,
)
"""Why there is nothing to be had just now."""

CONVERSATION = (
    refusals.not_yours,
    refusals.no_conversation,
    refusals.foreign_site,
    refusals.another_user,
)
"""Why a conversation is not the caller's."""


def problems(*refused: Refusal[ChatbridgeError]) -> dict[int | str, Schema]:
    """What an operation's documentation says of these refusals: a response for each status."""
    by_status: defaultdict[int, list[Refusal[ChatbridgeError]]] = defaultdict(list)
    for refusal in refused:
        by_status[status_of(refusal.kind)].append(refusal)
    return {status: _refused(status, by_status[status]) for status in sorted(by_status)}


def event_stream(data: Schema, *, example: str, events: Sequence[str] = ()) -> Schema:
    """The documentation of a stream, whose schema is that of each event, as of OpenAPI 3.1.

    `data` is the schema of the JSON in every event's `data`; `events` are the names that an event
    may have; none: they have no names.
    """
    properties: Schema = {
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": data,
        },
    }
    if events:
        properties["event"] = {"type": "string", "enum": list(events)}
    event = {"type": "object", "required": [*properties][1:], "properties": properties}
    return {"text/event-stream": {"schema": event, "example": example}}


def document(app: FastAPI, *schemas: Callable[[], Schema]) -> None:
    """Complete what FastAPI derives, and add the `schemas` that it can't derive.

    Every refusal is a problem document, `422` included.
    """
    derive = app.openapi

    def complete() -> Schema:
        if app.openapi_schema is None:
            contract = derive()
            for more in schemas:
                contract["components"]["schemas"] |= more()
            _complete(contract)
        return derive()

    app.openapi = complete
    _write_once(app)


def _write_once(app: FastAPI) -> None:
    """FastAPI writes the contract anew for whoever asks, which takes 11 ms."""

    @lru_cache(maxsize=4)
    def written(root_path: str) -> bytes:
        servers = {"servers": [{"url": root_path}]} if root_path else {}
        return json.dumps(app.openapi() | servers).encode()

    async def contract(request: Request) -> Response:
        content = written(request.scope.get("root_path", "").rstrip("/"))
        return Response(content, media_type="application/json")

    routes = app.router.routes
    for number, route in enumerate(routes):
        if isinstance(route, Route) and route.path == app.openapi_url:
            routes[number] = Route(route.path, contract, include_in_schema=False)


def _complete(contract: Schema) -> None:
    contract["info"]["description"] = _DESCRIPTION
    contract["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    contract["tags"] = _TAGS
    components = contract["components"]
    components["securitySchemes"]["clientSecret"] = _CLIENT_SECRET
    components["securitySchemes"]["serviceKey"] = _SERVICE_KEY
    components["schemas"]["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    examples: Schema = {}
    for operations in contract["paths"].values():
        for operation in operations.values():
            responses = operation["responses"] | problems(internal_error)
            operation["responses"] = {str(s): responses[s] for s in sorted(responses, key=str)}
            operation.setdefault("security", [])
            for response in operation["responses"].values():
                _share(response.get("content", {}).get(_PROBLEM, {}), examples)
    components["examples"] = dict(sorted(examples.items()))


def _refused(status: int, refused: Sequence[Refusal[ChatbridgeError]]) -> Schema:
    told = {r.code: {"value": problem_of(r(*r.example)).model_dump()} for r in refused}
    refusal: Schema = {
        "description": title_of(status),
        "content": {
            _PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": told}
        },
    }
    return refusal | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def _share(media: Schema, shared: Schema) -> None:
    """Keep each example once, for all operations that refuse in the same words."""
    for code, example in media.get("examples", {}).items():
        if shared.setdefault(code, example) == example:
            media["examples"][code] = {"$ref": f"#/components/examples/{code}"}
