"""A replica stands still for longer than its lease, and comes back as if nothing had been."""

import asyncio
from dataclasses import dataclass

from tests.faults.asking import Person, eventually
from tests.faults.model import Script
from tests.faults.oracles import Database, Row
from tests.faults.stand import LEASE, Replica, Stand
from tests.faults.viewing import Seen

FROZEN = LEASE + 2.5
HELD = 2.0
SHORT_LEASE = 2.0
TIME_TO_DO_HARM = 2.0
TAKEN_WITHIN = LEASE + 15.0


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
    *outcomes, late = await asyncio.gather(
        *(_zombie(stand, taker, number) for number in range(rounds)), _late_finish(stand, taker)
    )
    accepted = [o for o in outcomes if o.before != o.after or o.events_before != o.events_after]
    stand.promised(
        f"SIGSTOP for {FROZEN} s, then SIGCONT; once only its finish is late",
        f"{rounds} + 1",
        "a replica that has lost its lease writes nothing; one answer",
        f"writes accepted {len(accepted) + bool(late)}",
    )
    assert accepted == []
    assert late == ""
    for outcome in outcomes:
        assert outcome.states == ["interrupted", "completed"]
        assert [row["kind"] for row in outcome.after] == ["text", "partial", "text", "text"]


async def _zombie(stand: Stand, taker: Replica, number: int) -> Outcome:
    zombie, person = await stand.start(), Person(stand, f"user{number}")
    database, seen = Database(stand.sql), Seen()
    # so long that its model still speaks when it comes back
    script = Script(id=f"z{number}", words=500, pause=0.2)
    async with person.asking(zombie, script) as stream:
        await stream.until_text(seen, 10)
        zombie.freeze()
        await asyncio.sleep(FROZEN)
        turn, conversation = person.turn or "", _of(person)
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
    direct_stand: Stand,
) -> None:
    stand = direct_stand
    link = await stand.link()
    zombie, taker = await asyncio.gather(stand.start(), stand.start(DATABASE_URL=link.url))
    person, database, seen = Person(stand, "alice"), Database(stand.sql), Seen()
    async with person.asking(zombie, Script(id="z", words=60, pause=0.03)) as stream:
        await stream.until_text(seen, 10)
        zombie.freeze()
        await link.do("slow", seconds=HELD, text="finish_turn")
        await person.messages(taker)
        (frozen,) = await database.turns(_of(person))

        async def claimed() -> bool:
            (turn,) = await database.turns(_of(person))
            return turn["lease_until"] > frozen["lease_until"] and turn["state"] == "running"

        await eventually(claimed, TAKEN_WITHIN, "the turn is claimed and not finished")
        zombie.thaw()
        await stream.rest(seen)
        await asyncio.sleep(TIME_TO_DO_HARM)
    wrong = await _wrong(person, database, seen)
    stand.promised(
        "SIGCONT between the claim and the finish of who takes over",
        1,
        "a replica that has lost its lease writes nothing; one answer",
        f"writes accepted {int(bool(wrong))}",
    )
    assert wrong == ""


async def _late_finish(stand: Stand, taker: Replica) -> str:
    """What is wrong after a finish came when the lease had passed and the turn was taken over."""
    link = await stand.link()
    slow = await stand.start(DATABASE_URL=link.url, CHATBRIDGE_TURNS__LEASE=str(SHORT_LEASE))
    person, database, seen = Person(stand, "bob"), Database(stand.sql), Seen()
    async with person.asking(slow, Script(id="late", words=30, pause=0.03)) as stream:
        await stream.until_text(seen, 5)
        await link.do("slow", seconds=TAKEN_WITHIN, text="finish_turn")
        watching = asyncio.create_task(stream.rest(seen))

        async def taken_over() -> bool:
            await person.messages(taker)
            return not [t for t in await database.turns(_of(person)) if t["state"] == "running"]

        await eventually(taken_over, TAKEN_WITHIN, "the turn is taken over")
        await link.do("heal")
        await watching
        await asyncio.sleep(TIME_TO_DO_HARM)
    return await _wrong(person, database, seen)


async def _wrong(person: Person, database: Database, seen: Seen) -> str:
    """What a turn that was taken over looks like, if it does not look like one."""
    kept = await database.messages(_of(person))
    (turn,) = await database.turns(_of(person))
    # a message may be whole before its turn is
    asked, *answer = [row["kind"] for row in kept]
    if (asked, turn["state"]) != ("text", "interrupted") or answer not in (["partial"], ["text"]):
        return f"{turn['state']}: {[(row['kind'], row['content']) for row in kept]}"
    shown = kept[1]["content"].startswith(seen.text)
    return "" if shown else f"shown {seen.text!r}, kept {kept[1]['content']!r}"


def _of(person: Person) -> str:
    assert person.conversation
    return person.conversation
