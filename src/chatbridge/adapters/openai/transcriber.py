"""What is said, written down by an endpoint's `audio/transcriptions`, OpenAI's or a compatible."""

import asyncio
import json
import logging
from typing import Any, cast

import httpx2
from openai import AsyncOpenAI, Timeout

from chatbridge.adapters.openai.address import endpoint_address
from chatbridge.adapters.openai.api import Http
from chatbridge.adapters.openai.failure_line import failure_line
from chatbridge.adapters.openai.failures import code_of
from chatbridge.adapters.openai.models import CONNECT_SECONDS, OPENAI, carrier_over
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.troubles import NotAStream, provider_failure
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.refusals import Refusal
from chatbridge.ports.transcriber import Transcriber

log = logging.getLogger(__name__)

_RETRIES = 2
_SETTINGS = "CHATBRIDGE_DICTATION__"
# servers tell by the name what is in a file
_NAMES = {
    "audio/webm": "recording.webm",
    "audio/ogg": "recording.ogg",
    "audio/mp4": "recording.mp4",
    "audio/mpeg": "recording.mp3",
    "audio/wav": "recording.wav",
}
_FAILED: dict[str, tuple[Refusal[AgentFailed], str]] = {
    "model_unauthorized": (refusals.dictation_unauthorized, "API_KEY"),
    "model_refused": (refusals.dictation_refused, "MODEL and __BASE_URL"),
    "context_too_long": (refusals.dictation_too_long, "MODEL"),
    "model_rate_limited": (refusals.dictation_rate_limited, "API_KEY"),
    "model_unavailable": (refusals.dictation_unavailable, "BASE_URL"),
    "model_timeout": (refusals.dictation_timeout, "MAX_SECONDS"),
}
_UNREADABLE = (refusals.dictation_malformed, "BASE_URL")


class OpenAITranscriber(Transcriber):
    """Asks three times at most while the endpoint is busy or away, all within `max_seconds`.

    Raises ValueError when OpenAI itself is meant and there is no key for it, and like
    `endpoint_address` and `carrier_over`.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str | None,
        api_key: str | None,
        max_seconds: float,
        http: Http = "httpx",
        log_words: bool = False,
    ) -> None:
        if not api_key and not base_url:
            raise ValueError(
                f"{_SETTINGS}MODEL names {model}, and there is no key for OpenAI: set "
                f"OPENAI_API_KEY, or {_SETTINGS}BASE_URL to another endpoint."
            )
        address = endpoint_address(base_url or OPENAI, f"{_SETTINGS}BASE_URL")
        for note in address.notes:
            log.warning("%s", note)
        timeout = Timeout(max_seconds, connect=CONNECT_SECONDS)
        self._model = model
        self._max_seconds = max_seconds
        self._log_words = log_words
        self._client = AsyncOpenAI(
            # never left out: the client would look into the environment and send that key anywhere
            api_key=api_key or "none",
            base_url=address.url,
            default_query=address.query,
            timeout=timeout,
            max_retries=_RETRIES,
            http_client=carrier_over(http)(Patience(), Unoffered(), timeout=timeout),
        )

    async def transcribe(self, audio: bytes, media_type: str) -> str:
        try:
            async with asyncio.timeout(self._max_seconds):
                return await self._written(audio, media_type)
        except Exception as error:
            refusal, setting = _FAILED.get(code_of(error), _UNREADABLE)
            line = failure_line(error, words=self._log_words, setting=f"{_SETTINGS}{setting}")
            log.warning("dictation failed: %s", line)
            raise refusal() from error

    async def close(self) -> None:
        await self._client.close()

    async def _written(self, audio: bytes, media_type: str) -> str:
        answer = await self._client.audio.transcriptions.with_raw_response.create(
            model=self._model, file=(_NAMES[media_type], audio, media_type)
        )
        return cleaned(_text(answer.http_response)).strip()


def _text(answer: httpx2.Response) -> str:
    """The text of an answer, that some endpoints give as it is. Raises an EndpointTrouble."""
    kind = answer.headers.get("content-type", "no content type")
    try:
        told: Any = json.loads(answer.content)
    except (ValueError, RecursionError):
        if kind.startswith("text/plain"):
            return answer.text
        raise NotAStream(kind) from None
    said = cast(dict[str, Any], told) if isinstance(told, dict) else {}
    if isinstance(text := said.get("text"), str):
        return text
    raise provider_failure(said["error"]) if said.get("error") else NotAStream(kind)
