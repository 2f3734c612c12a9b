"""A stand where a tool asks: what people approve there, and how often it ran."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.faults.asking import Person, eventually
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import LEASE, Replica, Stand
from tests.faults.viewing import Json

BROKEN = 599
FOR_EVER = 600.0
OPEN = ("waiting", "approved", "running")
TAKEN_WITHIN = LEASE + 15.0
TIME_TO_RUN = 1.0
"""What a call that waited for nothing would need to run."""


@dataclass(frozen=True)
class Scene:
    """A stand where the tool asks, and a replica that is never killed."""

    stand: Stand
    reader: Replica

    async def ask(self, person: Person, pause: float = 0.0) -> tuple[Replica, Script]:
        """Who has asked for leave, and for what."""
        script = Script(id=f"w-{person.user}", words=3, tool="charge", tool_pause=pause)
        asked_by = await self.stand.start(**self.stand.asking())
        await person.ask(asked_by, script)
        return asked_by, script

    @asynccontextmanager
    async def answered(
        self, person: Person, then: Callable[[Replica], None]
    ) -> AsyncGenerator[Replica]:
        """Who has kept the answer, and not yet that the turn goes on when this is done to it."""
        link = await self.stand.link()
        await link.do("slow", seconds=FOR_EVER, text="keep_turns_1")
        answers = self.stand.start(DATABASE_URL=link.url, **self.stand.asking())
        (asked_by, _), answered_by = await asyncio.gather(self.ask(person), answers)
        asked_by.kill()
        approve = decision("approve", person, await asked_of(person, self.reader))
        approving = asyncio.create_task(post(person, answered_by, approve))

        async def kept() -> bool:
            (turn,) = await Database(self.stand.sql).turns(person.conversation or "")
            return turn["epoch"] > 1

        await eventually(kept, TAKEN_WITHIN, "the answer is kept")
        await asyncio.sleep(TIME_TO_RUN)
        then(answered_by)
        # what was on its way never arrives, and holds no connection of a pooler
        await link.do("slow", seconds=0, text="", times=0)
        await link.do("cut")
        yield answered_by
        await approving


def charges(stand: Stand) -> Counter[str]:
    """How often each order was charged."""
    return Counter(note["order"] for note in stand.tools.notes() if note["did"] == "charged")


async def calls_of(person: Person, at: Replica) -> list[Json]:
    """The calls of the conversation as a reader is shown them."""
    return [call for message in await person.messages(at) for call in message["tool_calls"]]


async def asked_of(person: Person, at: Replica) -> str:
    """The id of the call that waits."""
    (call,) = await calls_of(person, at)
    assert call["state"] == "waiting", call
    return call["id"]


def decision(what: str, person: Person, call: str) -> Json:
    """The button that is pressed."""
    action = {"type": f"chatbridge.{what}", "payload": {"call_id": call}}
    params = {"thread_id": person.conversation, "item_id": call, "action": action}
    return {"type": "threads.custom_action", "params": params}


async def post(person: Person, at: Replica, body: Json) -> httpx.Response:
    """Send it, and read the answer whole; a stream that breaks is a status of its own."""
    try:
        return await person.post(at, "/chatkit", body)
    except httpx.TransportError:
        return httpx.Response(BROKEN)
