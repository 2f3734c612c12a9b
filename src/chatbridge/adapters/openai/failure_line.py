"""The line that an operator reads about a run that has failed, with what would help."""

import re

from openai import APIError, APIStatusError

from chatbridge.adapters.openai.failures import (
    ELSEWHERE,
    code_of,
    status_of,
    type_of,
    words_of,
)
from chatbridge.adapters.openai.known_names import known_name
from chatbridge.adapters.openai.troubles import (
    EndpointTrouble,
    NotAStream,
    ProviderFailure,
    TruncatedStream,
)

_LONGEST_WORDS = 400
_HELPS = {
    "model_unauthorized": "CHATBRIDGE_AGENT__API_KEY",
    "model_timeout": "CHATBRIDGE_AGENT__FIRST and CHATBRIDGE_AGENT__IDLE",
    "model_unavailable": "CHATBRIDGE_AGENT__BASE_URL",
    "model_malformed": "CHATBRIDGE_AGENT__BASE_URL and CHATBRIDGE_AGENT__API",
    "context_too_long": "CHATBRIDGE_WINDOW__MAX_CHARACTERS",
    "too_many_steps": "CHATBRIDGE_AGENT__MAX_STEPS",
    "approval_needed": "docs/approvals.md: a handoff in place of an agent that is a tool, and "
    "a server of CHATBRIDGE_MCP__SERVERS in place of one that the provider calls, can ask",
}
_HELPS_AT = {
    404: "CHATBRIDGE_AGENT__BASE_URL, with its /v1, CHATBRIDGE_AGENT__MODEL and __API",
    405: "CHATBRIDGE_AGENT__BASE_URL and CHATBRIDGE_AGENT__API",
}
_HELPS_WITH_TOOLS = "CHATBRIDGE_AGENT__TOOLS and `tools` of CHATBRIDGE_MCP__SERVERS"


def failure_line(error: Exception, *, words: bool, setting: str | None = None) -> str:
    """What a log may say of the error: names that the endpoint gave it, and settings to look at.

    `setting` is the one that helps where it is not that of an agent.
    What the endpoint has said in sentences, which may quote a conversation, is only in it with
    `words`: escaped, and cut at 400 characters.
    """
    # where the host's own code has failed, no setting of ours helps
    setting = setting or (None if in_the_code(error) else helpful_setting(error))
    address = address_of(error)
    parts = [
        type(error).__name__,
        *_named(error),
        f"from {address}" if address else "",
        f"see {setting}" if setting else "",
    ]
    said = words_of(error) if words else ""
    parts.append(f"it said {said[:_LONGEST_WORDS]!a}" if said else "")
    return ", ".join(part for part in parts if part)


def in_the_code(error: Exception) -> Exception | None:
    """The error where its place in the code says more than its line: it may be in the host's."""
    return None if isinstance(error, ELSEWHERE) else error


def _named(error: Exception) -> list[str]:
    """The status, and the endpoint's own code, type and parameter."""
    given: dict[str, object] = {"status": status_of(error) or None}
    if isinstance(error, APIError):
        given |= {"code": error.code, "type": type_of(error), "parameter": error.param}
    elif isinstance(error, ProviderFailure):
        given |= {"code": error.code, "type": error.kind, "parameter": error.parameter}
    elif isinstance(error, TruncatedStream):
        given |= {"end": error.reason}
    elif isinstance(error, NotAStream):
        given |= {"content type": error.kind}
    return [f"{name} {_word(value)}" for name, value in given.items() if value]


def address_of(error: Exception) -> str | None:
    """Where the endpoint was asked, without what may be secret in an address."""
    if isinstance(error, APIError):
        return str(error.request.url.copy_with(query=None, username=None, password=None))
    return error.address if isinstance(error, EndpointTrouble) else None


def helpful_setting(error: Exception) -> str | None:
    """The setting of ours that would most likely help."""
    if isinstance(error, EndpointTrouble) and error.setting:
        return error.setting
    parameter = error.param if isinstance(error, APIError) else None
    if (parameter or "").startswith("tools") or _about_tools(error):
        return _HELPS_WITH_TOOLS
    return _HELPS_AT.get(status_of(error)) or _HELPS.get(code_of(error))


def _about_tools(error: Exception) -> bool:
    refused = isinstance(error, APIStatusError) and error.status_code in (400, 422)
    return refused and bool(re.search(r"\btools?\b", words_of(error)))


# A name is foreign too: what nobody knows may be what somebody has said.
def _word(value: object) -> str:
    return known_name(value) or "(not known here)"
