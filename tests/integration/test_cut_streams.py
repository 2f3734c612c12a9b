"""Answers that are cut off anywhere, by either API: what came is kept, and never as an answer.

`TEST_ROUNDS` multiplies the number of cuts.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random
from typing import Any

import pytest

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import TurnEvent
from tests.contracts.agent_runner import ADA, asking
from tests.contracts.task_tools import TaskTools
from tests.integration.scripted_endpoint import (
    Answer,
    Ending,
    Frame,
    ScriptedEndpoint,
    completions,
    message,
    responses,
)

CUTS = 200 * int(os.environ.get("TEST_ROUNDS", "1"))
AT_ONCE = 20
WORDS = [f"wörd{n}🥛" for n in range(40)]
TEXT = " ".join(WORDS)
BODIES: dict[Api, list[Frame]] = {
    "responses": responses(message(TEXT)),
    "chat_completions": completions(TEXT),
}
# the last is what half a character is
CODES = ("completed", "model_truncated", "model_unavailable", "model_malformed")
WHOLE: dict[Api, bytes] = {
    "responses": b'"response.completed"',
    "chat_completions": b'"finish_reason": "stop"',
}

OPENINGS = (
    b'"response.created"',
    b'"response.output_item.added"',
    b'"response.content_part.added"',
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A body that ends behind so many bytes, cleanly or not, sent in pieces of any size."""

    api: Api
    bytes: int
    ending: Ending
    pieces: tuple[Frame, ...]

    @property
    def arrived(self) -> list[Frame]:
        """The frames that came whole; the last of a body that is complete needs no blank line."""
        frames = BODIES[self.api]
        ends = accumulate(len(frame) for frame in frames)
        came = self.bytes + (len(b"\n\n") if self.ending == "end" else 0)
        return [frame for frame, end in zip(frames, ends, strict=True) if end <= came]

    @property
    def begun(self) -> bool:
        """Whether something of the answer came, and not only the word that one is to come."""
        return any(not any(kind in frame for kind in OPENINGS) for frame in self.arrived)

    @property
    def said(self) -> str:
        """The words in them."""
        body = b"".join(f for f in self.arrived if b"delta" in f).decode()
        return " ".join(word for word in WORDS if f'{word}"' in body)

    @property
    def whole(self) -> bool:
        """Whether the endpoint has said that the answer is whole."""
        return any(WHOLE[self.api] in frame for frame in self.arrived)

    @property
    def message_whole(self) -> bool:
        """The same of the message alone; only the Responses API says so before its end."""
        return self.whole or any(b'"response.output_item.done"' in f for f in self.arrived)


class CuttingEndpoint(ScriptedEndpoint):
    """Answers with the cut whose number the person says, each time that it is asked."""

    def __init__(self, cuts: list[Cut]) -> None:
        super().__init__()
        self._cuts = cuts
        self.asked = [0] * len(cuts)

    def next_answer(self, asked: dict[str, Any]) -> Answer:
        (said,) = [m for m in asked.get("input") or asked["messages"] if m["role"] == "user"]
        number = int(said["content"])
        self.asked[number] += 1
        return Answer(self._cuts[number].pieces, self._cuts[number].ending)


def random_cut(random: Random, api: Api) -> Cut:
    body = b"".join(BODIES[api])
    end = random.randrange(len(body))
    between = sorted(random.randrange(end + 1) for _ in range(random.randrange(8)))
    edges = [0, *between, end]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    return Cut(api, end, random.choice(["end", "cut"]), tuple(pieces))


async def turn_of(runner: OpenAIAgentRunner, said: str) -> tuple[Message | None, str]:
    """What is kept of the turn, if anything is, and how it ended."""
    events: list[TurnEvent] = []
    code = "completed"
    try:
        await runner.run(asking(said, say=events.append))
    except AgentFailed as failure:
        code = failure.code
    kept = Transcript(ADA.conversation_id, events).closed()
    assert len(kept) <= 1
    return (kept[0] if kept else None), code


async def one_by_one(many: int, work: Callable[[int], Any]) -> list[Any]:
    """The work for each number, not too much of it at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def take(number: int) -> Any:
        async with room:
            return await work(number)

    return await asyncio.gather(*map(take, range(many)))


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_an_answer_that_is_cut_anywhere_is_kept_as_far_as_it_came_and_never_as_complete(
    api: Api,
) -> None:
    random = Random(f"cuts of {api}")  # noqa: S311
    cuts = [random_cut(random, api) for _ in range(CUTS)]
    async with CuttingEndpoint(cuts).running() as endpoint:
        model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
        runner = OpenAIAgentRunner(model.model, TaskTools(), instructions="Help.")
        ends = await one_by_one(CUTS, lambda number: turn_of(runner, str(number)))
        await model.close()
    for number, (cut, (kept, code)) in enumerate(zip(cuts, ends, strict=True)):
        where = f"cut {number}, behind byte {cut.bytes}, {cut.ending}: {code}"
        assert (kept.content if kept else "") == cut.said, where
        assert (code == "completed") == cut.whole, where
        assert code in CODES, where
        assert kept is None or kept.kind == ("text" if cut.message_whole else "partial"), where
        assert endpoint.asked[number] == (1 if cut.begun else 3), where
    assert sum(not cut.whole for cut in cuts) > CUTS / 2
