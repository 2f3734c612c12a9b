"""The contract of the HTTP surface, as it is published and kept in contracts/."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI

from chatbridge.entrypoints.errors import Problem, problem_of, title_of

Schema = dict[str, Any]

_DESCRIPTION = """\
Conversations with an assistant, every message and tool call of them kept in Postgres.

A page built with ChatKit talks to `POST /chatkit`; everything else may use the REST API. Both see
the same conversations. Who is calling says a bearer token, and the `user_id` of a path must be
the caller's own. Every refusal is a problem document (RFC 9457) with a stable `code`."""

_TAGS = [
    {"name": "chatkit", "description": "For pages built with ChatKit."},
    {"name": "chat", "description": "One turn: a message and its answer."},
    {"name": "conversations", "description": "What is kept of them."},
    {"name": "tasks", "description": "What the bundled tools have kept."},
    {
        "name": "development",
        "description": "Signing in without a sign-in; in development and on the machine itself.",
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

_PROBLEMS: dict[str, tuple[int, str]] = {
    "token_missing": (401, "You are not signed in: show a token (`Authorization: Bearer ...`)."),
    "token_malformed": (401, "This is not a token that chatbridge can read."),
    "wrong_type": (401, "This token was made for another purpose."),
    "wrong_algorithm": (401, "This token is signed by a method that is not accepted here."),
    "unknown_key": (
        401,
        "This token is signed with a key that the sign-in does not publish; sign in again.",
    ),
    "bad_signature": (401, "The signature of this token is not right."),
    "claim_missing": (401, "The token lacks the claim `aud`."),
    "claim_invalid": (401, "The claim `exp` is not of the right form."),
    "wrong_issuer": (401, "This token was issued by a sign-in that is not trusted here."),
    "wrong_audience": (401, "This token was issued for another service."),
    "token_expired": (401, "This token has expired; sign in again."),
    "token_not_yet_valid": (401, "This token is not good yet; check the clocks."),
    "token_lifetime": (401, "A token may live for a second to a day."),
    "development_token": (
        401,
        "Development tokens are accepted in development only, and only from the machine that "
        "chatbridge runs on (loopback).",
    ),
    "sign_in_not_configured": (401, "No sign-in is configured on this server."),
    "session_not_accepted": (401, "A chat session's secret is good for /chatkit only."),
    "service_key_not_accepted": (401, "A service key is good for making chat sessions only."),
    "unknown_service_key": (401, "This is not a service key of this server."),
    "not_your_account": (403, "The path names another user than the token."),
    "forbidden": (403, "This conversation belongs to somebody else."),
    "not_loopback": (403, "Development tokens are given out on the machine itself only."),
    "foreign_host": (
        403,
        "Development tokens are given out at 127.0.0.1, localhost and [::1] only.",
    ),
    "foreign_origin": (403, "Development tokens are given out to chatbridge's own page only."),
    "session_is_bound": (
        403,
        "The chat session is bound to one conversation, and this is not for it.",
    ),
    "conversation_not_found": (404, "There is no such conversation."),
    "turn_not_found": (404, "There is no such turn."),
    "message_not_found": (404, "The conversation has no such message."),
    "turn_running": (
        409,
        "An answer is under way in this conversation: wait for its end, or stop it.",
    ),
    "turn_ended": (
        409,
        "This turn ended a while ago; what it said is among the conversation's messages.",
    ),
    "conversation_closed": (
        409,
        "The conversation takes no new messages: it is locked or closed.",
    ),
    "too_large": (413, "This is too large: a request has at most 1,048,576 bytes."),
    "unsupported_media_type": (415, "Send JSON: Content-Type: application/json."),
    "malformed_json": (422, "The body is no well-formed JSON."),
    "invalid_text": (
        422,
        "The text holds a character that can't be kept (NUL or a lone surrogate).",
    ),
    "invalid_number": (422, "A number in the body is too large."),
    "invalid_request": (422, "body.title: Field required"),
    "idempotency_key_reused": (
        422,
        "This Idempotency-Key was used for another request; choose a new one.",
    ),
    "invalid_cursor": (422, "`after` must be a cursor from an earlier page."),
    "invalid_limit": (422, "limit must be from 1 to 100."),
    "invalid_title": (422, "A title has 1 to 200 characters."),
    "empty_text": (422, "The message has no text."),
    "text_too_long": (422, "A message has at most 32,000 characters."),
    "attachments_not_supported": (422, "Attachments are not supported."),
    "not_retryable": (422, "Only a message of the user can be retried."),
    "user_id": (422, "A user id is 1 to 128 letters, digits or _.:@|+=~'-"),
    "unknown_operation": (422, "'type' must be one of 'threads.create', 'threads.list', ..."),
    "internal_error": (500, "Something went wrong here; it has been logged."),
    "not_implemented": (501, "input.transcribe is not served here."),
    "database_unavailable": (503, "The database is away for a moment; try again."),
    "schema_missing": (
        503,
        "The database lacks chatbridge's schema or has an older one: run `chatbridge migrate`.",
    ),
    "database_refused": (503, "The database refuses chatbridge: check DATABASE_URL."),
    "database_slow": (503, "The database does not answer."),
    "sign_in_unavailable": (
        503,
        "The sign-in can't be reached to check the token; try again in a moment.",
    ),
    "stopping": (503, "This server is stopping; ask again."),
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
    "token_missing",
    "token_malformed",
    "wrong_type",
    "wrong_algorithm",
    "unknown_key",
    "bad_signature",
    "claim_missing",
    "claim_invalid",
    "wrong_issuer",
    "wrong_audience",
    "token_expired",
    "token_not_yet_valid",
    "token_lifetime",
    "development_token",
    "sign_in_not_configured",
    "unknown_service_key",
    "sign_in_unavailable",
)
"""Why nobody is known to be asking."""

TOKEN = (*SIGN_IN, "session_not_accepted", "service_key_not_accepted", "not_your_account")
"""Why a caller may not even ask."""

BODY = (
    "too_large",
    "unsupported_media_type",
    "malformed_json",
    "invalid_text",
    "invalid_number",
    "invalid_request",
)
"""Why a body is not read, or not understood."""

STORE = ("database_unavailable", "schema_missing", "database_refused")
"""Why there is nothing to be had just now."""

CONVERSATION = ("forbidden", "conversation_not_found")
"""Why a conversation is not the caller's."""


def problems(*codes: str) -> dict[int | str, Schema]:
    """What an operation's documentation says of these refusals: a response for each status."""
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[_PROBLEMS[code][0]].append(code)
    return {status: _refusal(status, by_status[status]) for status in sorted(by_status)}


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


def _complete(contract: Schema) -> None:
    contract["info"]["description"] = _DESCRIPTION
    contract["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    contract["tags"] = _TAGS
    components = contract["components"]
    components["securitySchemes"]["clientSecret"] = _CLIENT_SECRET
    components["securitySchemes"]["serviceKey"] = _SERVICE_KEY
    components["examples"] = {
        code: {"value": problem_of(status, code, detail).model_dump()}
        for code, (status, detail) in _PROBLEMS.items()
    }
    components["schemas"]["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for operations in contract["paths"].values():
        for operation in operations.values():
            responses = operation["responses"] | {"500": _refusal(500, ["internal_error"])}
            operation["responses"] = dict(sorted(responses.items()))
            operation.setdefault("security", [])


def _refusal(status: int, codes: list[str]) -> Schema:
    refusal: Schema = {
        "description": title_of(status),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }
    return refusal | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
