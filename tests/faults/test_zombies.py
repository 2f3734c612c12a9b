"""A replica stands still for longer than its lease, and comes back as if nothing had been."""

import asyncio
from dataclasses import dataclass

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database, Row
from tests.faults.stand import LEASE, Replica, Stand
from tests.faults.viewing import Seen

FROZEN = LEASE + 2.5
HELD = 2.0
TIME_TO_DO_HARM = 2.0


@dataclass
class Outcome:
    """Of one zombie: what there was before it came back, what there is, and what it said."""

    before: list[Row]
    after: list[Row]
    events_before: int
    events_after: int
    states: list[str]


async def test_a_replica_that_comes_back_after_its_lease_writes_nothing(stand: Stand) -> None:
    taker = await stand.start()
    rounds = stand.rounds(4)
    outcomes = await in_lanes(rounds, [_zombie(stand, taker, number) for number in range(rounds)])
    accepted = [o for o in outcomes if o.before != o.after or o.events_before != o.events_after]
    stand.promised(
        f"SIGSTOP for {FROZEN} s, then SIGCONT",
        rounds,
        "a replica that has lost its lease writes nothing; one answer",
        f"writes accepted {len(accepted)}",
    )
    assert accepted == []
    for outcome in outcomes:
        assert outcome.states == ["interrupted", "completed"]
        assert [row["kind"] for row in outcome.after] == ["text", "partial", "text", "text"]


async def _zombie(stand: Stand, taker: Replica, number: int) -> Outcome:
    zombie, person = await stand.start(), Person(stand, f"user{number}")
    database, seen = Database(stand.sql), Seen()
    script = Script(id=f"z{number}", words=60, pause=0.03)
    async with person.asking(zombie, script) as stream:
        await stream.until_text(seen, 10)
        zombie.freeze()
        await asyncio.sleep(FROZEN)
        turn, conversation = person.turn or "", person.conversation or ""
        await person.messages(taker)
        await person.ask(taker, Script(id=f"z{number}-next", words=2))
        before, events_before = await database.messages(conversation), await database.events(turn)
        zombie.thaw()
        await stream.rest(seen)
        await asyncio.sleep(TIME_TO_DO_HARM)
    assert before[1]["content"].startswith(seen.text)
    return Outcome(
        before=before,
        after=await database.messages(conversation),
        events_before=len(events_before),
        events_after=len(await database.events(turn)),
        states=[row["state"] for row in await database.turns(conversation)],
    )


async def test_one_that_comes_back_while_it_is_being_taken_over_writes_nothing(
    stand: Stand,
) -> None:
    link = await stand.link()
    zombie, taker = await asyncio.gather(stand.start(), stand.start(DATABASE_URL=link.url))
    person, database, seen = Person(stand, "alice"), Database(stand.sql), Seen()
    async with person.asking(zombie, Script(id="z", words=60, pause=0.03)) as stream:
        await stream.until_text(seen, 10)
        zombie.freeze()
        await asyncio.sleep(FROZEN)
        await link.do("slow", seconds=HELD, text="finish_turn")
        taking = asyncio.create_task(person.messages(taker))

        async def claimed() -> bool:
            (turn,) = await database.turns(person.conversation or "")
            return turn["epoch"] > 1 and turn["state"] == "running"

        await eventually(claimed, HELD, "the turn is claimed and not finished")
        zombie.thaw()
        await stream.rest(seen)
        await taking
        await asyncio.sleep(TIME_TO_DO_HARM)
    kept = await database.messages(person.conversation or "")
    (turn,) = await database.turns(person.conversation or "")
    stand.promised(
        "SIGCONT between the claim and the finish of who takes over",
        1,
        "a replica that has lost its lease writes nothing; one answer",
        f"answers {len(kept) - 1}, state {turn['state']}",
    )
    assert [row["kind"] for row in kept] == ["text", "partial"]
    assert turn["state"] == "interrupted"
    assert kept[1]["content"].startswith(seen.text)
