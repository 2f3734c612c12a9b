"""A replica is killed inside of a statement of a turn that waits: all of it is kept, or nothing."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.chatkit_client import create
from tests.faults.approving import (
    TAKEN_WITHIN,
    Scene,
    asked_of,
    calls_of,
    charges,
    decision,
    post,
)
from tests.faults.asking import Person, eventually
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import Replica, Stand

HELD_BACK = 1.0
SHORT_LEASE = 2.0
INSIDE: dict[tuple[str, bool], list[list[str]]] = {
    ("wait_turn_1", True): [["succeeded"]],
    ("wait_turn_1", False): [[], ["withdrawn"]],
    ("answer_turn_1", True): [["withdrawn"]],
    ("answer_turn_1", False): [["succeeded"]],
}
"""In which statement a replica is killed, whether that goes through, and what may be kept of the
call, which is then approved at another one if it waits."""


async def test_a_replica_killed_inside_of_either_statement_leaves_all_or_nothing(
    direct_stand: Stand,
) -> None:
    stand = direct_stand
    quick = {**stand.asking(), "CHATBRIDGE_TURNS__LEASE": str(SHORT_LEASE)}
    scene = Scene(stand, await stand.start(**quick))
    wrong = [await _inside(scene, quick, *where) for where in INSIDE]
    stand.promised(
        "kill -9 inside of wait_turn_1 and of answer_turn_1, which goes through or is broken off",
        len(INSIDE),
        "all of it is kept or nothing, and the conversation goes on",
        f"otherwise {sum(map(bool, wrong))}",
    )
    assert [fault for fault in wrong if fault] == []


async def _inside(scene: Scene, quick: dict[str, str], function: str, kept: bool) -> str:
    person, link = Person(scene.stand, f"{function}-{kept}"), await scene.stand.link()
    owner = await scene.stand.start(DATABASE_URL=link.url, **quick)
    script = Script(id=f"w-{person.user}", words=2, tool="charge")
    if function == "wait_turn_1":
        await link.do("slow", seconds=HELD_BACK, text=function, times=1)
        sending = asyncio.create_task(post(person, owner, create(script.prompt())))
        await eventually(lambda: _running(scene.stand), TAKEN_WITHIN, "the turn has begun")
    else:
        await person.ask(owner, script)
        approve = decision("approve", person, await asked_of(person, scene.reader))
        sending = asyncio.create_task(post(person, owner, approve))
        await link.do("slow", seconds=HELD_BACK, text=function, times=1)
    await _killed_in(function, owner, scene.stand, kept=kept)
    await sending
    listed = await person.get(scene.reader, f"/api/{person.user}/conversations")
    person.conversation = listed.json()["items"][0]["id"]
    for call in await calls_of(person, scene.reader):
        if call["state"] == "waiting":
            await post(person, scene.reader, decision("approve", person, call["id"]))

    async def over() -> bool:
        await person.messages(scene.reader)
        return not await Database(scene.stand.sql).open_turns()

    await eventually(over, TAKEN_WITHIN, f"{function}: the turn has ended")
    after = Script(id=f"after-{person.user}", words=2)
    went_on = await person.ask(scene.reader, after)
    states = [call["state"] for call in await calls_of(person, scene.reader)]
    ran = charges(scene.stand)[script.id]
    if states in INSIDE[function, kept] and ran == states.count("succeeded"):
        return "" if went_on.text == after.text() else f"said {went_on.text!r}"
    return f"{function}, kept {kept}: {states}, ran {ran}"


async def _running(stand: Stand) -> bool:
    return bool(await Database(stand.sql).running())


async def _killed_in(function: str, owner: Replica, stand: Stand, *, kept: bool) -> None:
    """Hold the statement at the last of its writes, kill who has sent it, and let it end so."""
    async with stand.sql.acquire() as holder, holder.transaction():
        await holder.execute("lock table chatbridge.turns in share row exclusive mode")

        async def inside() -> int | None:
            return await stand.sql.fetchval(
                "select pid from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock' and query like $1",
                f"%{function}%",
            )

        await eventually(lambda: _true(inside), TAKEN_WITHIN, f"it is inside of {function}")
        pid = await inside()
        owner.kill()
        await owner.process.ended()
        if not kept:
            await stand.sql.execute("select pg_terminate_backend($1, 5000)", pid)


async def _true(look: Callable[[], Coroutine[Any, Any, object]]) -> bool:
    return bool(await look())
