"""Replicas are killed around calls of a tool that must not be run twice, nor unnoticed."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress

import httpx

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import LEASE, Link, Replica, Stand
from tests.faults.viewing import Json, Seen

LANES = 20
TOOL_PAUSE = 0.15
KILLED_WITHIN = 0.4
TAKEN_WITHIN = LEASE + 15.0
SLOW = 0.3
"""How long a record takes: a tool that does not wait for it is caught."""


async def test_a_tool_runs_at_most_once_and_never_without_a_record(stand: Stand) -> None:
    reader, link = await stand.start(), await stand.link()
    await link.do("slow", seconds=SLOW, text="keep_turns_1")
    rounds = stand.rounds(40)
    people = await in_lanes(LANES, [_killed(stand, link, reader, n) for n in range(rounds)])
    database = Database(stand.sql)

    async def over() -> bool:
        for person in people:
            if person.conversation:
                await person.messages(reader)
        return not await database.running()

    await eventually(over, TAKEN_WITHIN, "all turns are taken over")
    charged = [note for note in stand.tools.notes() if note["did"] == "charged"]
    orders = Counter(note["order"] for note in charged)
    keys = Counter(note["key"] for note in charged)
    twice = [order for order, times in orders.items() if times > 1]
    unrecorded = [note["order"] for note in charged if not note["recorded"]]
    said = await _said(people, database, reader)
    unsaid = [order for order in orders if not said.get(order)]
    stand.promised(
        "kill -9 around a call of a tool",
        rounds,
        "runs at most once, never without a record made before, and unknown is said",
        f"{len(charged)} ran: twice {len(twice)}, unrecorded {len(unrecorded)}; "
        f"{Counter(said.values())['unknown']} unknown and said so",
    )
    assert twice == []
    assert unrecorded == []
    assert unsaid == []
    assert len(keys) == len(charged)
    assert None not in keys
    assert "running" not in said.values()
    assert charged


async def _killed(stand: Stand, link: Link, reader: Replica, number: int) -> Person:
    """Ask for the tool and be killed; then ask again with the same key, as a client would."""
    owner, person = await stand.start(DATABASE_URL=link.url), Person(stand, f"user{number}")
    script = Script(id=f"t{number}", words=3, pause=0.05, tool="charge", tool_pause=TOOL_PAUSE)
    key, called = {"Idempotency-Key": f"key-{number}"}, asyncio.Event()
    asking = asyncio.create_task(_watch(person, owner, script, key, called))
    if number % 2:
        await called.wait()
    await asyncio.sleep(random.uniform(0.0, KILLED_WITHIN))  # noqa: S311
    owner.kill()
    await asking
    again = Person(stand, person.user)
    async with asyncio.timeout(TAKEN_WITHIN):
        while not await _watch(again, reader, script, key, called):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    return again


async def _watch(
    person: Person, at: Replica, script: Script, key: dict[str, str], called: asyncio.Event
) -> bool:
    """Ask and watch as far as it goes; `called` once a call is shown, or nothing more will be.

    Whether the request was taken: not while another answer is under way.
    """
    taken = False
    with suppress(httpx.TransportError):
        async with person.asking(at, script, **key) as stream:
            taken = stream.status == 200
            async for frame in stream.frames(Seen()):
                if frame.json["type"] == "thread.item.added":
                    called.set()
    called.set()
    return taken


async def _said(people: list[Person], database: Database, reader: Replica) -> dict[str, str]:
    """By order, how its call is kept; where it is unknown, a reload must say so to the person."""
    said: dict[str, str] = {}
    for person in people:
        if person.conversation is None:
            continue
        for message in await database.messages(person.conversation):
            for call in _calls(message):
                order = f"t{person.user.removeprefix('user')}"
                said[order] = call["state"]
                if call["state"] == "unknown":
                    assert "Outcome unknown" in str(await person.read(reader))
    return said


def _calls(message: Json) -> list[Json]:
    return json.loads(message["tool_calls"])
