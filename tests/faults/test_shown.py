"""A replica is killed while more than text is shown: widgets, workflows and notes are kept too."""

import asyncio
import random
import time
from dataclasses import dataclass

from tests.chatkit_client import add, create
from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.oracles import Database
from tests.faults.stand import Replica, Stand
from tests.faults.table import spread
from tests.faults.viewing import Json, Seen
from tests.hosts.counting import said_to

HOSTS = {
    "a host's server": {"CHATBRIDGE_SERVER__ENTRY": "tests.hosts.counting:Counting"},
    "an agent": {"CHATBRIDGE_AGENT__ENTRY": "tests.hosts.counting:assistant"},
}
LANES = 8
TOLD_WITHIN = 8.0
FAR = 60


@dataclass
class Outcome:
    """Of one kill: how far was counted on the screen, and in what was kept."""

    told_after: float
    seen: int
    kept: list[int]
    same: bool
    states: list[str]
    retried: str | None


async def test_what_a_killed_replica_has_shown_is_kept_in_its_last_state(
    direct_stand: Stand,
) -> None:
    stand = direct_stand
    rounds = range(stand.rounds(4))
    readers = await asyncio.gather(*(stand.start(**host) for host in HOSTS.values()))
    kills = [
        _kill(stand, host, reader, number)
        for number in rounds
        for host, reader in zip(HOSTS.values(), readers, strict=True)
    ]
    outcomes = await in_lanes(LANES, kills)
    for place, who in enumerate(HOSTS):
        _require_kept(stand, who, outcomes[place :: len(HOSTS)])


def _require_kept(stand: Stand, who: str, outcomes: list[Outcome]) -> None:
    behind = [o for o in outcomes if min(o.kept) < o.seen]
    # a tick may fall between what belongs to one number
    torn = [o for o in outcomes if max(o.kept) - min(o.kept) > 1 or not o.same]
    stand.promised(
        f"kill -9 while {who} shows text, widgets and workflows",
        len(outcomes),
        "all is kept in its last state, notes too, as other replicas show it",
        f"{spread([o.told_after for o in outcomes])}; behind {len(behind)}, torn {len(torn)}",
    )
    assert [o.told_after for o in outcomes if o.told_after > TOLD_WITHIN] == []
    assert behind == []
    assert torn == []
    assert {o.states[-1] for o in outcomes} == {"interrupted"}
    assert {o.retried for o in outcomes} <= {None, said_to(FAR)}


async def _kill(stand: Stand, host: dict[str, str], reader: Replica, number: int) -> Outcome:
    """In an answer, or in what an action does."""
    acting = number % 2 == 1
    owner, person = await stand.start(**host), Person(stand, f"user{number}")
    asked = await _action(person, owner) if acting else create(str(FAR))
    seen, followed = Seen(), Seen()
    async with person.sending(owner, asked) as stream:
        await stream.until_text(seen, random.randint(2, 25))  # noqa: S311
        following = asyncio.create_task(person.follow(reader, followed))
        await eventually(lambda: _true(followed.text), 30, "the other replica shows the answer")
        owner.kill()
        killed = time.monotonic()
        await stream.rest(seen)
    await following
    told_after = time.monotonic() - killed
    assert person.conversation
    database, items = Database(stand.sql), await person.read(reader)
    notes = [m for m in await database.messages(person.conversation) if m["kind"] == "note"]
    states = [turn["state"] for turn in await database.turns(person.conversation)]
    sender = [item for item in items if item["id"] == asked["params"].get("item_id")]
    retried = None if acting else (await person.retry(reader, items[0]["id"])).text
    async with person.sending(reader, add(person.conversation, "1")) as stream:
        assert await stream.rest(Seen())
    return Outcome(
        told_after=told_after,
        seen=seen.text.count(" "),
        kept=[*map(_counted, [*items[-3:], *sender]), int(notes[-1]["content"])],
        same=_last(followed).items() <= {item["id"]: item for item in items}.items(),
        states=states,
        retried=retried,
    )


async def _action(person: Person, at: Replica) -> Json:
    seen = Seen()
    async with person.sending(at, create("1")) as stream:
        assert await stream.rest(seen)
    # the line of an agent's call is a widget, too
    (widget,) = [item for item in _last(seen).values() if _is_counted(item)]
    pressed = {"type": "count", "payload": {"to": FAR}}
    params = {"thread_id": person.conversation, "item_id": widget["id"], "action": pressed}
    return {"type": "threads.custom_action", "params": params}


def _last(seen: Seen) -> dict[str, Json]:
    """Each item as it was last told whole."""
    told = [frame.json for frame in seen.frames]
    return {e["item"]["id"]: e["item"] for e in told if e["type"] == "thread.item.done"}


def _is_counted(item: Json) -> bool:
    return "value" in item.get("widget", {}).get("children", [{}])[0]


def _counted(item: Json) -> int:
    """How far is counted in it."""
    match item:
        case {"type": "assistant_message", "content": [{"text": text}]}:
            return text.count(" ")
        case {"widget": {"children": [{"value": value}]}}:
            return int(value)
        case {"workflow": {"tasks": [{"title": title}]}}:
            return int(title)
        case _:
            raise AssertionError(item)


async def _true(value: object) -> bool:
    return bool(value)
