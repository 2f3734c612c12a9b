"""Turns that wait for a person, and replicas that die: what is approved, by whom, and what ran."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from tests.faults.approving import (
    OPEN,
    TAKEN_WITHIN,
    Scene,
    asked_of,
    calls_of,
    charges,
    decision,
    post,
)
from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.conftest import POOLED_SHARE, Bench
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import LEASE, Replica, Stand
from tests.faults.viewing import Seen

LANES = 16
CLICKING = 4
"""How many click at once: what is held back holds a connection of a pooler."""

CHARGING = 30.0
"""What a call takes whose replica is killed while it runs."""

FROZEN = LEASE + 2.0
HELD = 0.3
"""How long answers are on their way: two that were read at once come at once."""

TIME_TO_DO_HARM = 2.0


@pytest.fixture(params=["direct", "pgbouncer"])
async def stand(request: pytest.FixtureRequest, bench: Bench) -> AsyncIterator[Stand]:
    """As many rounds by either way."""
    scale = 1.0 if request.param == "direct" else 1 / POOLED_SHARE
    async with bench.stand(request.param, scale=scale) as made:
        yield made


async def while_waiting(scene: Scene, person: Person) -> str:
    """The turn waits, and outlives its replica: another one goes on with it."""
    asked_by, script = await scene.ask(person)
    asked_by.kill()
    seen, call = Seen(), await asked_of(person, scene.reader)
    async with person.sending(scene.reader, decision("approve", person, call)) as stream:
        assert stream.status == 200, await stream.refusal()
        assert await stream.rest(seen)
    return "" if seen.text == script.text() else f"said {seen.text!r}"


async def between_answer_and_call(scene: Scene, person: Person) -> str:
    """The answer is kept, and its replica gone before it could keep that the turn goes on."""
    async with scene.answered(person, Replica.kill):
        return ""


async def frozen_between_them(scene: Scene, person: Person) -> str:
    """The same, but it comes back, and would go on, when the turn has been closed by another."""
    async with scene.answered(person, Replica.freeze) as answered_by:
        await asyncio.sleep(FROZEN)
        await person.messages(scene.reader)
        answered_by.thaw()
        await asyncio.sleep(TIME_TO_DO_HARM)
        answered_by.kill()
    return ""


async def in_the_approved_call(scene: Scene, person: Person) -> str:
    """The tool has done what it does, and its replica is gone before it was told so."""
    asked_by, script = await scene.ask(person, CHARGING)
    call = await asked_of(person, scene.reader)
    approving = asyncio.create_task(post(person, asked_by, decision("approve", person, call)))

    async def charged() -> bool:
        return script.id in charges(scene.stand)

    await eventually(charged, TAKEN_WITHIN, "the approved call runs")
    asked_by.kill()
    await approving
    return ""


Kill = Callable[[Scene, Person], Coroutine[Any, Any, str]]
KILLS: dict[str, tuple[Kill, str, int]] = {
    "while it waits": (while_waiting, "succeeded", 1),
    "between the answer and the call": (between_answer_and_call, "withdrawn", 0),
    "there, and it was only frozen": (frozen_between_them, "withdrawn", 0),
    "in the approved call": (in_the_approved_call, "unknown", 1),
}
"""When a replica is killed, what is then kept of the call, and how often it ran."""


async def test_what_waits_for_a_person_outlives_its_replica_and_runs_once(stand: Stand) -> None:
    scene, each = Scene(stand, await stand.start(**stand.asking())), stand.rounds(4)
    rounds = [(when, n) for n in range(each) for when in KILLS]
    wrong = await in_lanes(LANES, [_killed(scene, when, n) for when, n in rounds])
    ran = [note for note in stand.tools.notes() if note["did"] == "charged"]
    twice = [order for order, times in charges(stand).items() if times > 1]
    unapproved = [note["order"] for note in ran if not note["approved"]]
    stuck = await Database(stand.sql).open_turns()
    stand.promised(
        f"kill -9 {', '.join(KILLS)}",
        f"{each} each",
        "what was approved runs once at most, nothing else runs, and the conversation goes on",
        f"{len(ran)} ran: twice {len(twice)}, unapproved {len(unapproved)}; wedged {stuck}; "
        f"otherwise {sum(map(bool, wrong))}",
    )
    assert (twice, unapproved, stuck) == ([], [], 0)
    assert [fault for fault in wrong if fault] == []


async def _killed(scene: Scene, when: str, number: int) -> str:
    """What is wrong after the kill, a second click, the other one, and the next message."""
    kill, state, times = KILLS[when]
    person, reader = Person(scene.stand, f"{kill.__name__}-{number}"), scene.reader
    if fault := await kill(scene, person):
        return fault

    async def over() -> bool:
        return not [c for c in await calls_of(person, reader) if c["state"] in OPEN]

    await eventually(over, TAKEN_WITHIN, f"{when}: its turn has ended")
    (call,) = await calls_of(person, reader)
    again = await post(person, reader, decision("approve", person, call["id"]))
    other = await post(person, reader, decision("reject", person, call["id"]))
    after = Script(id=f"after-{person.user}", words=2)
    went_on = await person.ask(reader, after)
    (call,) = await calls_of(person, reader)
    ran = charges(scene.stand)[f"w-{person.user}"]
    seen = (call["state"], ran, again.status_code, other.status_code, went_on.text)
    right = (state, times, 200, 409, after.text())
    return "" if seen == right else f"{when}: {seen}"


async def test_of_three_clicks_on_two_replicas_one_counts(stand: Stand) -> None:
    scene, link = Scene(stand, await stand.start(**stand.asking())), await stand.link()
    replicas = await stand.pair(DATABASE_URL=link.url, **stand.asking())
    await link.do("slow", seconds=HELD, text="answer_turn_1")
    rounds = stand.rounds(5)
    wrong = await in_lanes(CLICKING, [_clicked(scene, replicas, n) for n in range(2 * rounds)])
    stand.promised(
        "three clicks at once on two replicas, of one mind or not",
        f"{rounds} each",
        "one decision counts, and what is approved runs once",
        f"otherwise {sum(map(bool, wrong))}",
    )
    assert [fault for fault in wrong if fault] == []


async def _clicked(scene: Scene, replicas: tuple[Replica, Replica], number: int) -> str:
    """What is wrong; every other time the second click is another answer than the others."""
    person, stand = Person(scene.stand, f"clicks-{number}"), scene.stand
    script = Script(id=f"w-{person.user}", words=3, tool="charge")
    await person.ask(scene.reader, script)
    call = await asked_of(person, scene.reader)
    clicks = ["approve", "reject" if number % 2 else "approve", "approve"]
    told = await asyncio.gather(
        *(
            post(person, replicas[n % 2], decision(click, person, call))
            for n, click in enumerate(clicks)
        )
    )
    counted = {click for click, answer in zip(clicks, told, strict=True) if answer.is_success}
    refused = {answer.status_code for answer in told if not answer.is_success}
    streams = {answer.text for answer in told if answer.is_success}
    (kept,) = await calls_of(person, scene.reader)
    ran = charges(stand)[script.id]
    right = ("succeeded", 1) if counted == {"approve"} else ("rejected", 0)
    if len(counted) == len(streams) == 1 and refused <= {409} and (kept["state"], ran) == right:
        return ""
    return f"{counted} counted, refused {refused}, {len(streams)} streams, {kept['state']}, {ran}"


async def test_a_message_withdraws_what_is_asked_before_it_is_answered(stand: Stand) -> None:
    first, second = await stand.pair(**stand.asking())
    scene, rounds = Scene(stand, first), stand.rounds(5)
    wrong = await in_lanes(LANES, [_withdrawn(scene, second, n) for n in range(rounds)])
    stand.promised(
        "a message while a turn waits, at the other replica, and a late click",
        rounds,
        "what was asked is not run and kept as such, before the message that is answered",
        f"otherwise {sum(map(bool, wrong))}",
    )
    assert [fault for fault in wrong if fault] == []


async def _withdrawn(scene: Scene, other: Replica, number: int) -> str:
    person, after = Person(scene.stand, f"goes-on-{number}"), Script(id=f"on-{number}", words=2)
    await person.ask(scene.reader, Script(id=f"w-{person.user}", words=3, tool="charge"))
    call = await asked_of(person, scene.reader)
    answer = await person.ask(other, after)
    late = await post(person, scene.reader, decision("approve", person, call))
    kept = await Database(scene.stand.sql).messages(person.conversation or "")
    states = [call["state"] for call in await calls_of(person, scene.reader)]
    seen = (answer.text, late.status_code, [m["kind"] for m in kept], states)
    right = (after.text(), 409, ["text", "tools", "text", "text"], ["withdrawn"])
    return "" if seen == right and not charges(scene.stand)[f"w-{person.user}"] else str(seen)
