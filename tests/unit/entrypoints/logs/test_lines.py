"""What is told beside the text: the time, the ids of what was done, and fields."""

import asyncio
import json
import logging
import re
from contextvars import Context
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.correlation import correlation, in_request, in_turn
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_report import TurnReport
from chatbridge.domain.model.usage import Usage
from chatbridge.entrypoints.logs.requests import RequestIds
from chatbridge.entrypoints.logs.turns import TurnLog
from tests.unit.entrypoints.logs.lines import written

OURS = logging.getLogger("chatbridge.of.the.tests")
DOCS = Path(__file__).parents[4] / "docs" / "operations.md"
A_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CONVERSATION, TURN = ConversationId("conv_1"), TurnId("turn_1")


def report(user: str = "ann@example.com", secret: bytes = b"secret") -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 11, 28, tzinfo=UTC)
    conversation = Conversation(id=CONVERSATION, user_id=UserId(user), created_at=at, updated_at=at)
    TurnLog(secret)(
        TurnReport(
            turn=Turn(id=TURN, conversation=conversation),
            model="gpt-5.2",
            state="failed",
            code="model_truncated",
            seconds=2.0461,
            usage=Usage(input_tokens=812, output_tokens=64),
            tools=("add_task", "list_tasks"),
        )
    )


def test_the_documented_lines_are_those_that_are_written() -> None:
    samples = re.findall(r"^```(?:text|json)\n(.*?)^```", DOCS.read_text(), re.S | re.M)
    for format, told in (("text", samples[0]), ("json", samples[1])):
        with written(format) as log, in_request("req_7f3a"), in_turn(CONVERSATION, TURN):  # pyright: ignore[reportArgumentType]
            report()
        assert A_TIME.sub("TIME", log.getvalue()) == A_TIME.sub("TIME", told)
        assert A_TIME.search(told)


def test_a_user_is_the_same_hash_for_who_has_the_secret_and_nobodys_name() -> None:
    with written("json") as log:
        report("ann")
        report("ann")
        report("bob")
        report("ann", secret=b"another")
    users = [json.loads(line)["user"] for line in log.getvalue().splitlines()]
    assert users[0] == users[1]
    assert len(set(users)) == 3
    assert "ann" not in log.getvalue()


def test_json_is_one_object_a_line_in_ascii_whatever_it_holds() -> None:
    with written("json") as log:
        OURS.error("%s", "Zoë \u2028\x7f\x1b\n\ud800", exc_info=ValueError("x"))
    (line,) = log.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    told = json.loads(line)
    assert told["message"] == r"Zoë \u2028\x7f\x1b\n\ud800"
    assert told["exceptions"] == [{"type": "ValueError", "at": []}]
    assert A_TIME.fullmatch(told["time"])
    assert set(told) == {"time", "level", "logger", "message", "exceptions"}


async def test_a_task_keeps_the_request_and_turn_in_which_it_began() -> None:
    async def say(behind: asyncio.Task[None]) -> None:
        await behind
        OURS.info("said")

    with written("json") as log:
        with in_request("req_1"), in_turn(CONVERSATION, TURN):
            first = asyncio.create_task(asyncio.to_thread(OURS.info, "in a thread"))
            second = asyncio.create_task(say(first))
            third = asyncio.create_task(say(second), context=Context())
        OURS.info("after it")
        await third
    after, thread, kept, apart = map(json.loads, log.getvalue().splitlines())
    named = {"request_id": "req_1", "conversation_id": "conv_1", "turn_id": "turn_1"}
    assert named.items() <= thread.items()
    assert named.items() <= kept.items()
    assert not named.keys() & (after.keys() | apart.keys())


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("0b1c2d3e-4f5a-4b7c-8d9e-0f1a2b3c4d5e", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("two words", False),
        ("a\x1b[2J", False),
        ('"quoted"', False),
        ("a;b", False),
        ("é", False),
    ],
)
async def test_a_request_keeps_its_callers_id_where_it_is_a_good_one(
    given: str, taken: bool
) -> None:
    async def seen(_: Request) -> PlainTextResponse:
        return PlainTextResponse(str(correlation().request_id))

    app = RequestIds(Starlette(routes=[Route("/", seen)]))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/", headers={"X-Request-Id": given.encode("latin-1")})
    named = answer.headers["x-request-id"]
    assert answer.text == named
    assert named == given if taken else re.fullmatch("req_[0-9a-f]{32}", named)
