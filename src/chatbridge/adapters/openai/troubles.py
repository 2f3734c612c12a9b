"""What can be wrong with an endpoint's answer, beyond what the client of the API raises itself."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from chatbridge.domain.model.usage import Usage


class EndpointTrouble(Exception):
    """Something is wrong with an answer; `address` is where it came from, once that is known.

    `setting` is the one of ours that would have helped, `usage` what the answer has cost
    nevertheless, and `calls` are the names and arguments of the calls in it, which are not run.
    """

    address: str | None = None
    setting: str | None = None
    usage: Usage | None = None
    calls: Sequence[tuple[str, str]] = ()


class TruncatedStream(EndpointTrouble):
    """The endpoint ended a stream without saying that the answer was whole.

    `reason` is its word for the end, if it had one.
    """

    def __init__(self, reason: str | None, usage: Usage | None = None) -> None:
        super().__init__(f"the reason for its end is {reason}" if reason else "it has no end")
        self.reason = reason
        self.usage = usage


class LimitReached(TruncatedStream):
    """The answer was longer, or took longer, than `setting` allows."""

    def __init__(self, setting: str, usage: Usage | None = None) -> None:
        super().__init__("limit", usage)
        self.setting = setting


class EmptyAnswer(TruncatedStream):
    """The model has ended its answer well, and said nothing and called nothing."""


class Silence(EndpointTrouble, TimeoutError):
    """Nothing came for as long as `setting` allows."""

    def __init__(self, setting: str) -> None:
        super().__init__("silence")
        self.setting = setting


class NotAStream(EndpointTrouble):
    """What came is neither a stream nor an answer; `kind` is the content type that it has."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class AnotherApi(NotAStream):
    """The events are those of another API than the one that was asked for."""

    def __init__(self) -> None:
        super().__init__("")


class ProviderFailure(EndpointTrouble):
    """The endpoint said, in an answer that had begun, that it can't go on.

    `code`, `kind` and `parameter` are its words; `status` is the number among them that is one.
    """

    def __init__(
        self,
        code: str | None,
        message: str,
        *,
        kind: str | None = None,
        parameter: str | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.parameter = parameter
        self.status = status or _status(code)


_ERROR = re.compile(r"error|exception|invalid|fail|refus", re.I)
_WORDS = ("message", "msg", "detail", "errors")


# what Anthropic, llama.cpp, Cloudflare, Ollama, TGI and Gemini put their words in
_OTHERS_WORDS = ("content", "response", "delta", "content_block", "token", "candidates")


def is_of_another_api(event: Mapping[str, Any]) -> bool:
    """Whether an event without anything of the API asked for has an answer in another's form."""
    if isinstance(event.get("message"), Mapping):
        message = cast(Mapping[str, Any], event["message"])
        return "role" in message or "content" in message
    return any(isinstance(event.get(name), str | list | Mapping) for name in _OTHERS_WORDS)


def is_told_alone(event: Mapping[str, Any]) -> bool:
    """Whether an event that is no part of an answer has an error's words."""
    kind = str(event.get("type") or event.get("object") or event.get("event") or "error")
    told = bool(_ERROR.search(kind)) and any(event.get(name) for name in _WORDS)
    return told and not is_of_another_api(event)


def provider_failure(error: Any) -> ProviderFailure:
    """The failure, of what stands where an error is told: an object, a text or a list of them."""
    if isinstance(error, list) and error:
        return provider_failure(cast(list[Any], error)[0])
    if not isinstance(error, Mapping):
        return ProviderFailure(None, str(cast(Any, error)), status=500)
    told = cast(Mapping[str, Any], error)
    inner: Any = told.get("error")
    if inner and isinstance(inner, Mapping | list):
        return provider_failure(cast(Any, inner))
    numbers = (_status(told.get(name)) for name in ("status", "status_code", "code"))
    return ProviderFailure(
        _word(told.get("code")),
        str(next(filter(None, map(told.get, _WORDS)), inner or "")),
        kind=_word(told.get("type")) or _word(told.get("status")),
        parameter=_word(told.get("param")),
        status=next(filter(None, numbers), 0),
    )


def _word(value: Any) -> str | None:
    return str(value) if value not in (None, "") and isinstance(value, str | int) else None


def _status(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) == 3 and text[0] in "45" else 0
