"""Dictation at an endpoint over real HTTP: what it is asked, and what becomes of its answers."""

import gzip
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatbridge.adapters.openai.api import Http
from chatbridge.adapters.openai.transcriber import OpenAITranscriber
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.models import transcriber
from chatbridge.ports.transcriber import Transcriber
from tests.contracts.transcriber import WEBM, Hears, TranscriberContract
from tests.integration.scripted_endpoint import Answer, ScriptedEndpoint
from tests.serving import settings_for
from tests.waiting import until

SAID = "my password is swordfish"
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html"}
PLAIN = {"content-type": "text/plain; charset=utf-8"}
SOON = {**JSON, "retry-after-ms": "1"}


def told(body: Any, **how: Any) -> Answer:
    return Answer((json.dumps(body, ensure_ascii=False).encode(),), **{"headers": JSON, **how})


class Endpoint(ScriptedEndpoint, Hears):
    """Of one endpoint: what it says is what is heard."""

    def words(self, text: str) -> None:
        self.answers.append(told({"text": text}))

    def failure(self) -> None:
        self.answers.append(told({"error": {"message": SAID}}, status=400))

    def endless(self) -> None:
        self.answer(headers=JSON, ending="pings")

    async def listening(self, expected: bool) -> None:
        await until(lambda: bool(self.serving and self.requests) is expected)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    async with made.running():
        yield made


@asynccontextmanager
async def transcriber_at(
    url: str, http: Http = "httpx", max_seconds: float = 20
) -> AsyncGenerator[OpenAITranscriber]:
    made = OpenAITranscriber(
        model="whisper-1", base_url=url, api_key="sk-speech", max_seconds=max_seconds, http=http
    )
    yield made
    await made.close()


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
class TestOpenAITranscriber(TranscriberContract):
    @pytest.fixture
    def hears(self, endpoint: Endpoint) -> Endpoint:
        return endpoint

    @pytest.fixture
    async def transcriber(self, hears: Endpoint, http: Http) -> AsyncIterator[Transcriber]:
        async with transcriber_at(hears.url, http) as made:
            yield made


NAMES = {
    "audio/webm": "recording.webm",
    "audio/ogg": "recording.ogg",
    "audio/mp4": "recording.mp4",
    "audio/mpeg": "recording.mp3",
    "audio/wav": "recording.wav",
}


async def test_an_endpoint_gets_the_file_under_a_name_that_says_what_it_is(
    endpoint: Endpoint,
) -> None:
    async with transcriber_at(f"{endpoint.url}/audio/transcriptions?api-version=1") as made:
        for kind, name in NAMES.items():
            endpoint.words(" Hello. \n")
            assert await made.transcribe(WEBM, kind) == "Hello."
            asked = {"model": "whisper-1", "file": (name, kind, WEBM)}
            assert endpoint.requests[-1] == asked
    assert endpoint.heads[0].startswith("post /v1/audio/transcriptions?api-version=1 ")
    assert "\r\nauthorization: bearer sk-speech\r\n" in endpoint.heads[0]


BUSY = told({"error": {"message": SAID, "code": "rate_limit_exceeded"}}, status=429, headers=SOON)
BROKEN = told({"error": {"message": SAID}}, status=500, headers=SOON)
FAILURES = {
    "a wrong key": (told({"error": {"message": SAID}}, status=401), "unauthorized", "API_KEY"),
    "no rights": (told({"error": SAID}, status=403), "unauthorized", "API_KEY"),
    "no such route": (told({"detail": "Not Found"}, status=404), "refused", "MODEL"),
    "another method": (told({}, status=405), "refused", "BASE_URL"),
    "no such file": (told({"error": {"message": SAID}}, status=400), "refused", "MODEL"),
    "too long": (told({"error": {"message": SAID}}, status=413), "too_long", "MODEL"),
    "a page": (Answer((b"<!doctype html><p>Hi",), headers=HTML), "malformed", "BASE_URL"),
    "an error page": (
        Answer((b"<html>502 Bad Gateway",), headers={**HTML, "retry-after-ms": "1"}, status=502),
        "unavailable",
        "BASE_URL",
    ),
    "broken JSON": (Answer((b'{"text": "my passw',), headers=JSON), "malformed", "BASE_URL"),
    "deep JSON": (Answer((b"[" * 100_000,), headers=JSON), "malformed", "BASE_URL"),
    "no text": (told({"words": [SAID]}), "malformed", "BASE_URL"),
    "a text that is none": (told({"text": None}), "malformed", "BASE_URL"),
    "a list": (told([SAID]), "malformed", "BASE_URL"),
    "an error that is well": (
        told({"error": {"message": SAID, "code": "invalid_api_key"}}),
        "unauthorized",
        "API_KEY",
    ),
    "no end": (Answer((b"x" * 600_000,) * 2, headers=JSON), "malformed", "BASE_URL"),
    "packed twice": (
        Answer((gzip.compress(b"{}"),), headers={**JSON, "content-encoding": "gzip, gzip"}),
        "malformed",
        "BASE_URL",
    ),
    "busy": (BUSY, "rate_limited", "API_KEY"),
    "broken": (BROKEN, "unavailable", "BASE_URL"),
}


async def test_a_failure_is_told_to_the_person_and_to_the_operator(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    async with transcriber_at(endpoint.url) as made:
        for name, (answer, code, setting) in FAILURES.items():
            caplog.clear()
            endpoint.answers = [answer] * 3
            with caplog.at_level(logging.INFO), pytest.raises(AgentFailed) as failed:
                await made.transcribe(WEBM, "audio/webm")
            assert failed.value.code == f"dictation_{code}", name
            line = next(r.getMessage() for r in caplog.records if r.name.endswith("transcriber"))
            assert re.search(f"see CHATBRIDGE_DICTATION__.*{setting}", line), (name, line)
            for secret in ("swordfish", "passw", "sk-speech", "Hi"):
                assert secret not in caplog.text + failed.value.detail, name


async def test_who_is_busy_is_asked_again(endpoint: Endpoint) -> None:
    cut = Answer((b'{"text": "m',), headers=JSON, ending="cut")
    endpoint.answers = [BUSY, cut, told({"text": "Hello."})]
    async with transcriber_at(endpoint.url) as made:
        assert await made.transcribe(WEBM, "audio/webm") == "Hello."
    assert [asked["file"][2] for asked in endpoint.requests] == [WEBM] * 3


async def test_words_without_json_are_words_and_silence_is_given_up(endpoint: Endpoint) -> None:
    endpoint.answer("Grüß dich".encode(), headers=PLAIN)
    endpoint.answer(headers=JSON, ending="pings")
    async with transcriber_at(endpoint.url, max_seconds=0.5) as made:
        assert await made.transcribe(WEBM, "audio/webm") == "Grüß dich"
        with pytest.raises(AgentFailed) as failed:
            await made.transcribe(WEBM, "audio/webm")
    assert failed.value.code == "dictation_timeout"


async def test_without_an_endpoint_of_its_own_it_is_asked_at_the_agents(endpoint: Endpoint) -> None:
    agent = {"base_url": endpoint.url, "api_key": "sk-agent", "model": "m"}
    made = transcriber(settings_for("memory:", agent=agent, dictation={"model": "whisper-1"}))
    assert made
    endpoint.words("Hello.")
    assert await made.transcribe(WEBM, "audio/webm") == "Hello."
    await made.close()
    assert "\r\nauthorization: bearer sk-agent\r\n" in endpoint.heads[0]
    assert transcriber(settings_for("memory:", agent=agent, dictation={"model": ""})) is None


def test_a_model_without_a_way_to_it_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"OPENAI_API_KEY.*CHATBRIDGE_DICTATION__BASE_URL"):
        OpenAITranscriber(model="m", base_url=None, api_key=None, max_seconds=9)
    with pytest.raises(ValueError, match=r"CHATBRIDGE_DICTATION__BASE_URL must be"):
        OpenAITranscriber(model="m", base_url="here", api_key=None, max_seconds=9)
