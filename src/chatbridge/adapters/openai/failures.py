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

from chatbridge.adapters.openai.troubles import (
    EmptyAnswer,
    EndpointTrouble,
    NotAStream,
    ProviderFailure,
    TruncatedStream,
    provider_failure,
)
from chatbridge.domain.model.errors import AgentFailed, ChatbridgeError

SENTENCES = {
    "model_unauthorized": "The model endpoint refused our key. Please tell the operator.",
    "model_rate_limited": "The model is busy or its quota is used up. Please try again later.",
    "model_unavailable": "The model can't be reached right now. Please try again.",
    "model_timeout": "The model took too long to answer. Please try again.",
    "model_truncated": "The model's answer broke off before its end. Please try again.",
    "model_filtered": "The answer was cut by the provider's filter. Please put it in another way.",
    "model_stopped": "The model stopped before its answer was whole. Please try again.",
    "model_silent": "The model ended without an answer. Please try again.",
    "model_malformed": "The model's answer could not be read. Please try again.",
    "model_refused": "The model endpoint did not accept the request. Please tell the operator.",
    "too_many_steps": "The model needed too many steps and was stopped. Try a smaller request.",
    "context_too_long": "The conversation is too long for the model. Please start a new one.",
    "input_refused": "A guardrail of the assistant has refused this message.",
    "output_refused": "A guardrail of the assistant has refused the answer.",
    "tool_refused": "A guardrail of the assistant has stopped a tool.",
    "approval_needed": "A tool needs an approval, which can't be asked for where it was called, so "
    "it was not run. Please tell the operator.",
    "agent_failed": "The model could not answer because of an unexpected error.",
}

_TOO_LONG = re.compile(
    r"context.?(length|window|size)|exceed\w*.?context|maximum context|context the overflows|"
    r"prompt is too long|input is too long|too many input tokens|request too large",
    re.I,
)
_MAY_BE_TOO_LONG = re.compile(
    r"\b(prompt|input|messages?)\b.{0,60}\b(exceeds?|too large|longer than)\b.{0,60}"
    r"\b(tokens?|model)|"
    r"(?<!_)\btokens?\b.{0,40}\bexceeds?\b.{0,40}\b(maximum|limit)",
    re.I | re.S,
)
_WRONG_KEY = re.compile(r"api[ _]?key (?:is )?(?:not valid|invalid)|api_key_invalid", re.I)
_FILTERED = re.compile(r"filter|safety|recitation|blocklist|prohibited|spii|refus|policy", re.I)
_CUT_SHORT = re.compile(r"length|max|limit|exceed|incomplete", re.I)
_STATUS = {
    400: "model_refused",
    401: "model_unauthorized",
    402: "model_rate_limited",
    403: "model_unauthorized",
    404: "model_refused",
    405: "model_refused",
    408: "model_timeout",
    413: "context_too_long",
    409: "model_unavailable",
    415: "model_refused",
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
    "overloaded_error": "model_unavailable",
    "api_error": "model_unavailable",
    "internal_server_error": "model_unavailable",
    "service_unavailable_error": "model_unavailable",
    "unavailable": "model_unavailable",
    "internal": "model_unavailable",
    "timeout_error": "model_timeout",
    "deadline_exceeded": "model_timeout",
    "rate_limit_error": "model_rate_limited",
    "requests": "model_rate_limited",
    "tokens": "model_rate_limited",
    "resource_exhausted": "model_rate_limited",
    "billing_error": "model_rate_limited",
    "authentication_error": "model_unauthorized",
    "permission_error": "model_unauthorized",
    "unauthenticated": "model_unauthorized",
    "permission_denied": "model_unauthorized",
    "invalid_request_error": "model_refused",
    "not_found_error": "model_refused",
    "invalid_argument": "model_refused",
    "invalid_prompt": "model_refused",
    "content_filter": "model_filtered",
    "invalid_api_key": "model_unauthorized",
}


class ApprovalNeeded(Exception):
    """The run waits for somebody to approve a tool."""


_KINDS = (
    (EmptyAnswer, "model_silent"),
    (NotAStream, "model_malformed"),
    (MaxTurnsExceeded, "too_many_steps"),
    (ApprovalNeeded, "approval_needed"),
    (InputGuardrailTripwireTriggered, "input_refused"),
    (OutputGuardrailTripwireTriggered, "output_refused"),
    (ToolInputGuardrailTripwireTriggered, "tool_refused"),
    (ToolOutputGuardrailTripwireTriggered, "tool_refused"),
)
ELSEWHERE = (
    APIError,
    EndpointTrouble,
    ModelBehaviorError,
    ModelTimeoutError,
    *(kind for kind, _ in _KINDS),
)
"""What ends a run without a fault in the host's own code."""


def agent_failed(error: Exception) -> ChatbridgeError:
    """The error as the domain knows it; one of the domain's own comes back as it is."""
    # the SDK puts what is raised beside a tool into an error of its own
    for raised in (error, error.__cause__):
        if isinstance(raised, ChatbridgeError):
            return raised
    code = code_of(error)
    return AgentFailed(SENTENCES[code], code=code)


def code_of(error: Exception) -> str:
    """The stable code of whatever ended a run."""
    return next((code for kind, code in _KINDS if isinstance(error, kind)), _other(error))


def _other(error: Exception) -> str:
    match error:
        case TruncatedStream():
            return _end(error.reason)
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


def _end(reason: str | None) -> str:
    if reason is None or _CUT_SHORT.search(reason):
        return "model_truncated"
    return "model_filtered" if _FILTERED.search(reason) else "model_stopped"


def _refusal(error: APIError | ProviderFailure) -> str:
    status, said = status_of(error), f"{error.code} {words_of(error)}"
    if _TOO_LONG.search(said) or (status != 429 and _MAY_BE_TOO_LONG.search(said)):
        return "context_too_long"
    if status == 400 and _WRONG_KEY.search(said):
        return "model_unauthorized"
    words = [str(word).lower() for word in (error.code, type_of(error)) if word]
    told = next((_PROVIDER_CODES[word] for word in words if word in _PROVIDER_CODES), None)
    if told and not (status and told == "model_refused"):  # a number says more than that
        return told
    return _STATUS.get(status, "model_unavailable" if status >= 500 else _unnamed(status))


def tells_too_long(said: str) -> bool:
    """Whether an endpoint's words are that a prompt is too long for its model."""
    return bool(_TOO_LONG.search(said) or _MAY_BE_TOO_LONG.search(said))


def _unnamed(status: int) -> str:
    return "model_refused" if status >= 400 else "model_unavailable"


def status_of(error: Exception) -> int:
    """The HTTP status, or the number that an endpoint has told in its place; 0 if there is none."""
    return error.status_code if isinstance(error, APIStatusError) else getattr(error, "status", 0)


def type_of(error: APIError | ProviderFailure) -> str | None:
    """What the provider calls this kind of error."""
    if isinstance(error, ProviderFailure):
        return error.kind
    return error.type or provider_failure(error.body).kind  # Gemini's `status`, and its lists


def words_of(error: Exception) -> str:
    """What the endpoint has said in its own words."""
    body = error.body if isinstance(error, APIError) else None
    return f"{error} {body}" if body else str(error)
