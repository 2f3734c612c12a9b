"""Replicas are restarted one after another, and clocks are wrong."""

import asyncio
import os
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import DRAIN, Replica, Stand
from tests.faults.viewing import Seen

STREAMS = 50
EXITS_WITHIN = DRAIN + 2.0
ENDS_WITHIN = 60.0
AN_END = ("completed", "interrupted")


@dataclass
class Watching:
    """A person who goes on elsewhere when the stream breaks."""

    person: Person
    script: Script
    seen: Seen = field(default_factory=Seen)
    elsewhere: bool = False
    resumed: bool = False

    async def watch(self, replicas: list[Replica], number: int) -> None:
        """Ask at one replica, and watch to the end there or, some of them, at the other one."""
        async with self.person.asking(replicas[number], self.script) as stream:
            assert stream.status == 200, await stream.refusal()
            ended = False if self.elsewhere else await stream.rest(self.seen)
        self.resumed = not self.elsewhere and not ended
        # whatever runs there now, or somewhere else when that is just being restarted
        while not ended:
            number = 1 - number
            ended = await self._followed(replicas[number])

    async def _followed(self, at: Replica) -> bool:
        """Whether the end was seen; a replica that is to stop says that it can't show it."""
        try:
            after = self.seen.cursor or f"{self.person.turn}/0"
            async with self.person.following(at, after) as stream:
                if stream.status == 503:
                    return False
                assert stream.status == 200, await stream.refusal()
                whole = await stream.rest(self.seen)
                return whole and self.seen.types[-1] == "thread.item.done"
        except httpx.TransportError:
            return False


async def test_a_rolling_restart_loses_no_answer(direct_stand: Stand) -> None:
    stand = direct_stand
    *replicas, first, second = await asyncio.gather(
        stand.start(exec_with={}), stand.start(exec_with={}), stand.start(), stand.start()
    )
    count = stand.rounds(STREAMS)
    watching = [
        Watching(
            Person(stand, f"user{n}"),
            Script(id=f"r{n}", words=20 + n % 2 * 50 + n, pause=0.08),
            elsewhere=n % 5 == 0,
        )
        for n in range(count)
    ]
    streams = [asyncio.create_task(each.watch(replicas, n % 2)) for n, each in enumerate(watching)]
    await eventually(lambda: _begun(watching), ENDS_WITHIN, "all have seen a word")
    exits = [await _replaced(stand, replicas, n, new) for n, new in enumerate((first, second))]
    async with asyncio.timeout(ENDS_WITHIN):
        await asyncio.gather(*streams)
    ends = [await _end(stand, each) for each in watching]
    lost = [end for end in ends if end not in AN_END]
    resumed = sum(each.resumed for each in watching)
    stand.promised(
        "both replicas are restarted, one after the other",
        f"{count} streams",
        f"no answer is lost, every stream is told its end, exit within {EXITS_WITHIN:.0f} s",
        f"lost {len(lost)}, completed {ends.count('completed')}, interrupted "
        f"{ends.count('interrupted')}, streams cut off {resumed}, "
        f"exits after {', '.join(f'{seconds:.1f} s' for seconds in exits)}",
    )
    assert lost == []
    assert resumed == 0
    assert max(exits) < EXITS_WITHIN


async def _replaced(stand: Stand, replicas: list[Replica], number: int, new: Replica) -> float:
    """End one in good order once a new one is in its place; how long it took to exit."""
    old, replicas[number] = replicas[number], new
    old.terminate()
    began = time.monotonic()
    late = Person(stand, "late")

    async def stopping() -> bool:
        try:
            said = await late.get(old, "/readyz")
        except httpx.TransportError:
            raise AssertionError("it was gone before it said that it stops") from None
        return said.status_code == httpx.codes.SERVICE_UNAVAILABLE

    await eventually(stopping, EXITS_WITHIN, "a balancer is told that it stops")
    said = await _said(late, old)
    await old.process.ended()
    assert said == ["503 stopping", "503 stopping"]
    return time.monotonic() - began


async def _begun(watching: list[Watching]) -> bool:
    return all(each.seen.text for each in watching)


async def _said(late: Person, stopping: Replica) -> list[str]:
    """What a replica that is to stop answers to a balancer, and to a new question."""
    try:
        ready = await late.get(stopping, "/readyz")
        async with late.asking(stopping, Script(id="late")) as refused:
            codes = ready.json()["code"], (await refused.refusal())["code"]
    except httpx.TransportError as error:
        return [type(error).__name__]
    return [f"{ready.status_code} {codes[0]}", f"{refused.status} {codes[1]}"]


async def _end(stand: Stand, watching: Watching) -> str:
    """How the turn ended, or what is wrong with that."""
    person, seen, database = watching.person, watching.seen, Database(stand.sql)
    (turn,) = await database.turns(person.conversation or "")
    answer = (await database.messages(person.conversation or ""))[-1]["content"]
    if seen.text != answer:
        return f"seen {seen.text!r}, kept {answer!r}"
    if seen.types[-1] != "thread.item.done":
        return f"ended with {seen.types[-1]}"
    if turn["state"] == "completed" and answer != watching.script.text():
        return f"{turn['state']} with {answer!r}"
    return turn["state"]


async def test_wrong_clocks_reap_nothing_and_change_no_order(direct_stand: Stand) -> None:
    stand = direct_stand
    right = await stand.start()
    ahead, behind = await asyncio.gather(
        stand.start(exec_with=_clock("+1h")), stand.start(exec_with=_clock("-1h"))
    )
    await _is_skewed(stand, ahead, 3600)
    await _is_skewed(stand, behind, -3600)
    rounds = [
        _skewed(stand, right, wrong, f"{side}{n}")
        for n in range(stand.rounds(10))
        for side, wrong in (("ahead", ahead), ("behind", behind))
    ]
    outcomes = await in_lanes(10, rounds)
    turns = sum(len(states) for states, _ in outcomes)
    reaped = sum(state != "completed" for states, _ in outcomes for state in states)
    reordered = sum(not in_order for _, in_order in outcomes)
    stand.promised(
        "the clocks of two replicas are an hour wrong, one ahead and one behind",
        f"{turns} turns",
        "no turn is taken over, no order changes",
        f"taken over {reaped}, reordered {reordered}",
    )
    assert (reaped, reordered) == (0, 0)


def _clock(skew: str) -> dict[str, str]:
    library = os.environ.get("LIBFAKETIME")
    assert library, "run `make test-faults`, or name libfaketime's library with LIBFAKETIME"
    return {"LD_PRELOAD": library, "FAKETIME": skew, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


async def _is_skewed(stand: Stand, replica: Replica, seconds: int) -> None:
    response = await stand.client.get(f"{replica.url}/healthz")
    there = parsedate_to_datetime(response.headers["date"]).timestamp()
    assert abs(there - time.time() - seconds) < 60


async def _skewed(
    stand: Stand, right: Replica, wrong: Replica, user: str
) -> tuple[list[str], bool]:
    """Questions at both replicas in turn, each read at the other one while it is answered."""
    person = Person(stand, f"user{user}")
    scripts = [Script(id=f"w{user}-{n}", words=15, pause=0.04) for n in range(4)]
    for number, script in enumerate(scripts):
        at, other = (right, wrong) if number % 2 else (wrong, right)
        seen = Seen()
        async with person.asking(at, script) as stream:
            await stream.until_text(seen, 2)
            await person.messages(other)
            await stream.rest(seen)
    database = Database(stand.sql)
    states = [row["state"] for row in await database.turns(person.conversation or "")]
    contents = [item["content"] for item in await person.messages(right)]
    expected = [text for script in scripts for text in (script.prompt(), script.text())]
    return states, contents == expected
