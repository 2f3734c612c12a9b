"""Whatever ends a run early, as an AgentFailed with a stable code and a sentence for the person."""

import json
import re

from agents.exceptions import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
)
from openai import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
)
from pydantic import ValidationError

from chatbridge.domain.model.errors import AgentFailed, ChatbridgeError
from chatbridge.domain.model.usage import Usage

SENTENCES = {
    "model_unauthorized": "The model endpoint refused our key. Please tell the operator.",
    "model_rate_limited": "The model is busy or its quota is used up. Please try again later.",
    "model_unavailable": "The model can't be reached right now. Please try again.",
    "model_timeout": "The model took too long to answer. Please try again.",
    "model_truncated": "The model's answer broke off before its end. Please try again.",
    "model_malformed": "The model's answer could not be read. Please try again.",
    "model_refused": "The model endpoint did not accept the request. Please tell the operator.",
    "too_many_steps": "The model needed too many steps and was stopped. Try a smaller request.",
    "context_too_long": "The conversation is too long for the model. Please start a new one.",
    "input_refused": "A guardrail of the assistant has refused this message.",
    "output_refused": "A guardrail of the assistant has refused the answer.",
    "tool_refused": "A guardrail of the assistant has stopped a tool.",
    "approval_needed": "A tool needs an approval, which can't be given here, so it was not run.",
    "agent_failed": "The model could not answer because of an unexpected error.",
}

_TOO_LONG = re.compile(
    r"context.?(length|window|size)|exceed\w*.?context|maximum context|prompt is too long", re.I
)
_STATUS = {
    400: "model_refused",
    401: "model_unauthorized",
    403: "model_unauthorized",
    404: "model_refused",
    408: "model_timeout",
    413: "context_too_long",
    422: "model_refused",
    429: "model_rate_limited",
    504: "model_timeout",
}
_PROVIDER_CODES = {
    "context_length_exceeded": "context_too_long",
    "rate_limit_exceeded": "model_rate_limited",
    "insufficient_quota": "model_rate_limited",
    "server_error": "model_unavailable",
    "server_is_overloaded": "model_unavailable",
    "invalid_api_key": "model_unauthorized",
}


class TruncatedStream(Exception):
    """The endpoint ended a stream without saying that the answer was whole.

    `usage` is what it has cost nevertheless, where that is known.
    """

    def __init__(self, reason: str, usage: Usage | None = None) -> None:
        super().__init__(reason)
        self.usage = usage


class ApprovalNeeded(Exception):
    """The run waits for somebody to approve a tool."""


class ProviderFailure(Exception):
    """The endpoint said, in the middle of a stream, that it can't go on; `code` is its word."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code


_KINDS = (
    (TruncatedStream, "model_truncated"),
    (MaxTurnsExceeded, "too_many_steps"),
    (ApprovalNeeded, "approval_needed"),
    (InputGuardrailTripwireTriggered, "input_refused"),
    (OutputGuardrailTripwireTriggered, "output_refused"),
    (ToolInputGuardrailTripwireTriggered, "tool_refused"),
    (ToolOutputGuardrailTripwireTriggered, "tool_refused"),
)


def agent_failed(error: Exception) -> ChatbridgeError:
    """The error as the domain knows it; one of the domain's own comes back as it is."""
    if isinstance(error, ChatbridgeError):
        return error
    code = _code(error)
    return AgentFailed(SENTENCES[code], code=code)


def kind_of(error: Exception) -> str:
    """What a log may say of the error: its type, and what an endpoint has called it."""
    status = error.status_code if isinstance(error, APIStatusError) else None
    code = error.code if isinstance(error, APIError | ProviderFailure) else None
    said = [str(word) for word in (type(error).__name__, status, code) if word]
    return " ".join(said)


def _code(error: Exception) -> str:
    return next((code for kind, code in _KINDS if isinstance(error, kind)), _other(error))


def _other(error: Exception) -> str:
    match error:
        case APITimeoutError() | ModelTimeoutError() | TimeoutError():
            return "model_timeout"
        case APIConnectionError() | OSError():
            return "model_unavailable"
        case APIResponseValidationError() | ModelBehaviorError() | ValidationError():
            return "model_malformed"
        case json.JSONDecodeError() | UnicodeDecodeError():
            return "model_malformed"
        case APIError() | ProviderFailure():
            return _refusal(error)
        case _:
            return "agent_failed"


def _refusal(error: APIError | ProviderFailure) -> str:
    if _TOO_LONG.search(f"{error.code} {error}"):
        return "context_too_long"
    if error.code in _PROVIDER_CODES:
        return _PROVIDER_CODES[error.code]
    status = error.status_code if isinstance(error, APIStatusError) else 0
    return _STATUS.get(status, "model_unavailable" if status >= 500 else "agent_failed")
