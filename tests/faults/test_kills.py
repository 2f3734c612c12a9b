"""A replica is killed in the middle of an answer: what is left of it, and for whom."""

import asyncio
import random
import time
from dataclasses import dataclass

import httpx

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import Replica, Stand
from tests.faults.table import spread
from tests.faults.viewing import Seen

LANES = 10
TOLD_WITHIN = 8.0


@dataclass
class Outcome:
    """Of one kill."""

    told_after: float
    shown: str
    followed: str
    kept: str
    runs_before: int
    runs_after_retry: int
    kinds: list[str]


async def test_an_answer_whose_replica_is_killed_is_told_as_interrupted_everywhere(
    stand: Stand,
) -> None:
    reader = await stand.start()
    outcomes = await in_lanes(
        LANES, [_kill(stand, reader, number) for number in range(stand.rounds(20))]
    )
    different = [o for o in outcomes if not o.kept.startswith(o.shown) or o.followed != o.kept]
    run_again = [o for o in outcomes if o.runs_before != 1 or o.runs_after_retry != 2]
    late = [o.told_after for o in outcomes if o.told_after > TOLD_WITHIN]
    stand.promised(
        "kill -9 of a replica that is answering",
        len(outcomes),
        f"interrupted within {TOLD_WITHIN:.0f} s, with what was shown; nothing runs again",
        f"{spread([o.told_after for o in outcomes])}; different texts {len(different)}, "
        f"run again {len(run_again)}",
    )
    assert late == []
    assert different == []
    assert run_again == []
    # the retry has taken the interrupted answer's place, and the conversation has gone on
    assert {tuple(o.kinds) for o in outcomes} == {("text", "text", "text", "text")}


async def _kill(stand: Stand, reader: Replica, number: int) -> Outcome:
    owner, person = await stand.start(), Person(stand, f"user{number}")
    script = Script(id=f"k{number}", words=30, pause=0.03, stays=27)
    database, seen, followed = Database(stand.sql), Seen(), Seen()
    async with person.asking(owner, script) as stream:
        await stream.until_text(seen, random.randint(2, 25))  # noqa: S311
        following = asyncio.create_task(person.follow(reader, followed))
        await eventually(lambda: _true(followed.text), 30, "the other replica shows the answer")
        owner.kill()
        killed = time.monotonic()
        await stream.rest(seen)
    await following
    told_after = time.monotonic() - killed
    assert person.conversation
    question, partial = await person.messages(reader)
    assert partial["kind"] == "partial"
    (turn,) = await database.turns(person.conversation)
    assert turn["state"] == "interrupted"
    runs_before = stand.model_saw(script.id).count("asked")
    retried = await person.retry(reader, question["id"])
    assert retried.text == script.text()
    runs_after_retry = stand.model_saw(script.id).count("asked")
    await person.ask(reader, Script(id=f"k{number}-next", words=2))
    return Outcome(
        told_after=told_after,
        shown=seen.text,
        followed=followed.text,
        kept=partial["content"],
        runs_before=runs_before,
        runs_after_retry=runs_after_retry,
        kinds=[row["kind"] for row in await database.messages(person.conversation)],
    )


async def _true(value: object) -> bool:
    return bool(value)


async def test_who_only_reads_sees_it_too(direct_stand: Stand) -> None:
    stand = direct_stand
    owner, reader = await stand.pair()
    person, seen = Person(stand, "alice"), Seen()
    async with person.asking(owner, Script(id="r", words=500, pause=0.03)) as stream:
        await stream.until_text(seen, 5)
        owner.kill()
        await stream.rest(seen)

    async def told() -> bool:
        kept = await person.messages(reader)
        return kept[-1]["kind"] == "partial" and not await Database(stand.sql).running()

    await eventually(told, TOLD_WITHIN, "the reader sees the answer as interrupted")
    assert (await person.messages(reader))[-1]["content"].startswith(seen.text)
    with_client = await person.get(reader, f"/chatkit/threads/{person.conversation}/events")
    assert with_client.status_code == httpx.codes.NO_CONTENT
