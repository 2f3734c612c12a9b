"""What is said, written down over both surfaces, by an endpoint that a test has written."""

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from chatbridge.domain.model.limits import MAX_BODY, MAX_RECORDINGS
from tests.chatkit_client import Json, create
from tests.integration.http.asking import require_refused
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.serving import Served, served, settings_for
from tests.waiting import until

JSON = {"content-type": "application/json"}
WEBM = b"\x1a\x45\xdf\xa3 and what was said"
RECORDINGS = {
    "audio/webm": WEBM,
    "audio/ogg": b"OggS and so on",
    "audio/mp4": b"\0\0\0\x1cftypiso5 and so on",
    "audio/mpeg": b"ID3 and so on",
    "audio/wav": b"RIFF\x10\0\0\0WAVEfmt ",
}


@dataclass
class Dictating:
    """A service that writes down, the endpoint that it asks, and its user alice."""

    served: Served
    endpoint: ScriptedEndpoint
    http: httpx.AsyncClient

    def heard(self, text: str, **how: Any) -> None:
        self.endpoint.answer(json.dumps({"text": text}).encode(), **{"headers": JSON, **how})

    async def over_chatkit(self, audio: bytes | str, kind: str = "audio/webm") -> httpx.Response:
        encoded = audio if isinstance(audio, str) else b64encode(audio).decode()
        params = {"audio_base64": encoded, "mime_type": kind}
        return await self.http.post("/chatkit", json={"type": "input.transcribe", "params": params})

    async def over_rest(self, audio: bytes, kind: str = "audio/webm") -> httpx.Response:
        return await self.http.post(
            "/api/alice/transcriptions", content=audio, headers={"content-type": kind}
        )


@pytest.fixture(scope="session")
async def alone() -> AsyncGenerator[Dictating]:
    async with ScriptedEndpoint().running() as endpoint:
        told = {"model": "whisper-1", "base_url": endpoint.url}
        settings = settings_for("memory:", dictation=told, openai_api_key="sk-of-the-agent")
        async with served(settings) as here:
            yield Dictating(here, endpoint, here.as_user("alice"))


@pytest.fixture
def dictating(alone: Dictating) -> Dictating:
    alone.endpoint.answers.clear()
    alone.endpoint.requests.clear()
    return alone


@pytest.mark.parametrize("kind", ["audio/webm;codecs=opus", "", "text/html"])
async def test_a_recording_is_what_its_bytes_say(
    dictating: Dictating, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for found, audio in RECORDINGS.items():
            dictating.heard(" Buy oat milk. ")
            dictating.heard(" Buy oat milk. ")
            for answer in (
                await dictating.over_chatkit(audio, kind),
                await dictating.over_rest(audio, kind),
            ):
                assert (answer.status_code, answer.json()) == (200, {"text": "Buy oat milk."})
                assert dictating.endpoint.requests[-1]["file"][1:] == (found, audio)
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("chatbridge")]
    assert not [line for line in ours if "milk" in line or "sk-" in line]
    menus = (await dictating.http.get("/chatkit/menus")).json()
    assert menus["dictation"] == {"enabled": True}
    assert "bearer none" in dictating.endpoint.heads[-1]  # the agent's key is for the agent's


async def test_minutes_are_taken_and_more_is_too_large(dictating: Dictating) -> None:
    dictating.heard("A long story.")
    most = WEBM + bytes(MAX_BODY * 3 // 4 - 200)
    assert (await dictating.over_chatkit(most)).json() == {"text": "A long story."}
    more = WEBM + bytes(MAX_BODY)
    for answer in await dictating.over_chatkit(most + bytes(200)), await dictating.over_rest(more):
        assert f"{MAX_BODY:,} bytes" in require_refused(answer, 413, "too_large")["detail"]
    long = "a" * 40_000
    elsewhere: list[Json] = [
        {"type": "input.transcribe", "params": {"audio_base64": "", "mime_type": long}},
        {"type": "input.transcribe", "audio_base64": long, "params": {}},
        {"type": "input.transcribe", "params": {"params": {"audio_base64": long}}},
        create(long),
    ]
    for body in elsewhere:
        answer = await dictating.http.post("/chatkit", json=body)
        require_refused(answer, 422, "text_too_long")


async def test_what_is_no_recording_is_refused_before_anybody_is_asked(
    dictating: Dictating,
) -> None:
    for audio in (b"GIF89a", b"<html>", b"RIFF\x10\0\0\0WEBP", b"\0"):
        for answer in await dictating.over_chatkit(audio), await dictating.over_rest(audio):
            require_refused(answer, 422, "recording_type")
    for answer in await dictating.over_chatkit(b""), await dictating.over_rest(b""):
        require_refused(answer, 422, "recording_empty")
    for encoded in ("GkXfow", "GkXfo w==", "data:audio/webm;base64,GkXfow==", "é"):
        problem = require_refused(await dictating.over_chatkit(encoded), 422, "invalid_request")
        assert "base64" in problem["detail"]
    assert not dictating.endpoint.requests


async def test_only_who_is_known_dictates_for_themselves(dictating: Dictating) -> None:
    nobody, bob = dictating.served.as_user(None), dictating.served.as_user("bob")
    path = "/api/alice/transcriptions"
    require_refused(await nobody.post(path, content=WEBM), 401, "token_missing")
    require_refused(await bob.post(path, content=WEBM), 403, "not_your_account")
    assert not dictating.endpoint.requests


async def test_nothing_heard_and_a_failure_are_told(dictating: Dictating) -> None:
    dictating.heard(" \n")
    require_refused(await dictating.over_chatkit(WEBM), 422, "nothing_heard")
    dictating.heard("", status=401)
    problem = require_refused(await dictating.over_rest(WEBM), 502, "dictation_unauthorized")
    assert "operator" in problem["detail"]


async def test_who_goes_away_is_listened_to_no_longer(dictating: Dictating) -> None:
    endpoint = dictating.endpoint
    for over in (dictating.over_chatkit, dictating.over_rest):
        endpoint.answer(headers=JSON, ending="pings")
        before = len(endpoint.requests)
        asking = asyncio.create_task(over(WEBM))
        await until(lambda: len(endpoint.requests) > before)  # noqa: B023
        held = set(endpoint.serving)
        asking.cancel()
        await until(lambda: held - endpoint.serving)  # noqa: B023


async def test_of_one_person_only_some_are_written_down_at_once(dictating: Dictating) -> None:
    for _ in range(MAX_RECORDINGS):
        dictating.endpoint.answer(headers=JSON, ending="pings")
    asking = [asyncio.create_task(dictating.over_rest(WEBM)) for _ in range(MAX_RECORDINGS)]
    await until(lambda: len(dictating.endpoint.requests) == MAX_RECORDINGS)
    require_refused(await dictating.over_chatkit(WEBM), 409, "enough_recordings")
    dictating.heard("hello")
    bob = dictating.served.as_user("bob")
    assert (await bob.post("/api/bob/transcriptions", content=WEBM)).json() == {"text": "hello"}
    held = set(dictating.endpoint.serving)
    for each in asking:
        each.cancel()
    await until(lambda: len(held - dictating.endpoint.serving) == MAX_RECORDINGS)
    dictating.heard("again")
    assert (await dictating.over_chatkit(WEBM)).json() == {"text": "again"}


async def test_where_nobody_writes_it_down_that_is_said(service: Served) -> None:
    nowhere = ScriptedEndpoint()
    alice = Dictating(service, nowhere, service.as_user("alice"))
    for answer in await alice.over_chatkit(WEBM), await alice.over_rest(WEBM):
        problem = require_refused(answer, 501, "dictation_not_configured")
        assert "CHATBRIDGE_DICTATION__MODEL" in problem["detail"]
