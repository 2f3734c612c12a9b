"""The way to the database is cut, refused, a black hole, or loses an answer to a COMMIT."""

import asyncio
import time
from functools import partial
from itertools import count

import httpx

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database, judge
from tests.faults.stand import Link, Replica, Stand
from tests.faults.viewing import Seen

OUTAGE = 3.0
TURNS = 20
STATEMENTS = {"begin_turn": "begin", "finish_turn": "finish", "keep_turns": "tick"}
LOST_WITHIN = 60.0
LANES = 8
LOCKED = 3.0
ANSWERED_WITHIN = 10.0
SEEN_WITHIN = 30.0


async def test_a_lost_answer_to_a_commit_doubles_and_loses_nothing(stand: Stand) -> None:
    link = await stand.link()
    replica = await stand.start(DATABASE_URL=link.url)
    each = max(1, stand.rounds(60) // len(STATEMENTS))
    people = [Person(stand, f"user{number}") for number in range(LANES)]
    asked: dict[str, list[Script]] = {person.user: [] for person in people}
    cuts = 0
    for text in STATEMENTS:
        await link.do("lose", text=text, times=each)
        cuts += each
        await asyncio.gather(
            *(_ask_until_lost(person, replica, link, cuts, asked[person.user]) for person in people)
        )
    lost, doubled, other = 0, 0, list[str]()
    for person in people:
        scripts = asked[person.user]
        kept = await Database(stand.sql).messages(person.conversation or "")
        judged = judge(scripts, {script.id for script in scripts}, kept)
        whole = [row["content"] for row in kept if row["kind"] == "text"]
        lost += len(judged.lost) + sum(script.text() not in whole for script in scripts)
        doubled += len(judged.duplicated)
        other += judged.reordered + judged.wrong
    stand.promised(
        "the connection is lost after COMMIT, before its answer",
        f"{cuts} of {'/'.join(STATEMENTS.values())}",
        "nothing is lost or doubled",
        f"lost {lost}, doubled {doubled} of {sum(map(len, asked.values()))} turns",
    )
    assert (lost, doubled, other) == (0, 0, [])


async def _ask_until_lost(
    person: Person, replica: Replica, link: Link, cuts: int, asked: list[Script]
) -> None:
    async with asyncio.timeout(LOST_WITHIN):
        while await link.do("lost") < cuts:
            script = Script(id=f"{person.user}-{len(asked)}", words=5, pause=0.03)
            asked.append(script)
            await person.ask(replica, script)


async def test_turns_outlive_an_outage_of_the_database(stand: Stand) -> None:
    link = await stand.link()
    replica = await stand.start(DATABASE_URL=link.url)
    numbers = count()
    for fault, seconds in (("cut", 0.0), ("refuse", OUTAGE), ("hole", OUTAGE)):
        turns = stand.rounds(TURNS)
        seen = [Seen() for _ in range(turns)]
        asking = asyncio.gather(
            *(_ask(stand, replica, next(numbers), each) for each in seen), return_exceptions=True
        )
        await eventually(partial(_all_speak, seen), SEEN_WITHIN, "all turns have begun")
        await link.do(fault)
        await asyncio.sleep(seconds)
        await link.do("heal")
        whole = await asking
        broken = [outcome for outcome in whole if outcome is not True]
        stand.promised(
            f"the database is away: {fault}",
            f"{turns} turns",
            "every turn completes without a gap",
            f"incomplete {len(broken)}",
        )
        assert broken == []


async def _all_speak(seen: list[Seen]) -> bool:
    return all(each.text for each in seen)


async def _ask(stand: Stand, replica: Replica, number: int, seen: Seen) -> bool:
    script = Script(id=f"o{number}", words=50, pause=0.05)
    person = Person(stand, f"user{number}")
    async with person.asking(replica, script) as stream:
        assert stream.status == 200, await stream.refusal()
        assert await stream.rest(seen), "the stream broke"
    kept = await Database(stand.sql).messages(person.conversation or "")
    return seen.text == kept[-1]["content"] == script.text()


async def test_a_replica_heals_by_itself_after_an_outage(stand: Stand) -> None:
    link = await stand.link()
    await link.do("refuse")
    replica = await stand.launch(DATABASE_URL=link.url)
    await _is_up_and_not_ready(stand, replica)
    await link.do("heal")
    healed = [await stand.ready(replica)]
    person = Person(stand, "alice")
    await person.ask(replica, Script(id="after-start", words=2))
    await link.do("refuse")
    await _is_up_and_not_ready(stand, replica)
    await link.do("heal")
    healed.append(await stand.ready(replica))
    await person.ask(replica, Script(id="after-outage", words=2))
    stand.promised(
        "the database is away at the start, and while idle",
        2,
        "up and not ready; ready by itself within 3 s",
        f"ready after {', '.join(f'{seconds:.1f} s' for seconds in healed)}",
    )
    assert max(healed) < 3.0


async def _is_up_and_not_ready(stand: Stand, replica: Replica) -> None:
    async def says(path: str, status: int) -> bool:
        try:
            return (await stand.client.get(f"{replica.url}{path}")).status_code == status
        except httpx.TransportError:
            return False

    await eventually(lambda: says("/healthz", 200), SEEN_WITHIN, "it is up without a database")
    # for a second it says what it said
    await eventually(lambda: says("/readyz", 503), SEEN_WITHIN, "it is not ready")


async def test_a_turn_that_is_locked_stalls_no_other(direct_stand: Stand) -> None:
    stand = direct_stand
    replica = await stand.start()
    locked, others = Person(stand, "locked"), [Person(stand, f"user{n}") for n in range(5)]
    seen = Seen()
    async with locked.asking(replica, Script(id="locked", words=30, pause=0.03)) as stream:
        await stream.until_text(seen, 2)
        async with stand.sql.acquire() as connection, connection.transaction():
            await connection.execute(
                "select from chatbridge.turns where id = $1 for update", locked.turn
            )
            began = time.monotonic()
            scripts = [Script(id=person.user, words=80, pause=0.03) for person in others]
            told = await asyncio.gather(
                *(p.ask(replica, script) for p, script in zip(others, scripts, strict=True))
            )
            took = time.monotonic() - began
            lagging = max(told, key=lambda viewing: viewing.longest_silence).longest_silence
            await asyncio.sleep(max(0.0, LOCKED - took))
        assert await stream.rest(seen)
    stand.promised(
        f"a turn's row is locked for {LOCKED:.0f} s by somebody else",
        len(others),
        "other turns are shown as they come, the locked one afterwards",
        f"others were silent for {lagging:.2f} s at most",
    )
    assert lagging < LOCKED / 2
    assert seen.text == Script(id="locked", words=30).text()


async def test_a_request_never_waits_long_for_a_silent_database(direct_stand: Stand) -> None:
    stand = direct_stand
    link = await stand.link()
    replica = await stand.start(DATABASE_URL=link.url)
    people = [Person(stand, f"user{number}") for number in range(5)]
    await in_lanes(5, [p.ask(replica, Script(id=p.user, words=1)) for p in people])
    await link.do("hole")
    began = asyncio.get_running_loop().time()
    path = "/api/{0.user}/conversations/{0.conversation}"
    asking = asyncio.gather(*(p.get(replica, path.format(p)) for p in people))
    await asyncio.wait({asking}, timeout=ANSWERED_WITHIN + 1)
    longest = asyncio.get_running_loop().time() - began
    await link.do("heal")
    answers = await asking
    stand.promised(
        "the database is silent",
        5,
        f"every request is answered within {ANSWERED_WITHIN:.0f} s",
        f"{longest:.1f} s",
    )
    assert {answer.status_code for answer in answers} == {503}
    assert longest < ANSWERED_WITHIN
