"""Many people at once, while servers are killed and the database crashes: is anything lost?"""

import asyncio
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from chatbridge.adapters.postgres.migrate import upgrade
from tests.faults.asking import Person
from tests.faults.conftest import Bench
from tests.faults.crashing_postgres import CrashingPostgres
from tests.faults.model import Script
from tests.faults.oracles import Database, Judged, judge
from tests.faults.stand import LEASE, Replica, Stand
from tests.faults.viewing import Seen

CLIENTS = 12
SECONDS = 60.0
ENOUGH = 1000
KILLS_EVERY = 12.0
CRASHES_EVERY = 14.0
GOES_ON_WITHIN = LEASE + 10.0


@dataclass
class Client:
    """One that asks as fast as it is answered, and asks again when it is not."""

    person: Person
    scripts: list[Script] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    longest: float = 0.0

    async def work(self, replicas: list[Replica], clock: "Clock") -> None:
        """One question after another, each with a key of its own until it is acknowledged."""
        while clock.runs:
            id = f"{self.person.user}-{len(self.scripts)}"
            script = Script(id=id, words=random.randint(1, 4))  # noqa: S311
            self.scripts.append(script)
            self.said.clear()
            began = time.monotonic()
            while not await self._acknowledged(script, replicas):
                await asyncio.sleep(0.05)
                waited = time.monotonic() - began
                assert waited < GOES_ON_WITHIN, f"stuck at {script.id}: {self.said}"
            self.longest = max(self.longest, time.monotonic() - began)

    async def _acknowledged(self, script: Script, replicas: list[Replica]) -> bool:
        seen = Seen()
        key = {"Idempotency-Key": script.id}
        at = random.choice(replicas)  # noqa: S311
        with suppress(httpx.TransportError):
            self.said.append(f"{time.monotonic():.1f}")
            async with self.person.asking(at, script, **key) as stream:
                self.said.append(f"{time.monotonic():.1f} {stream.status}")
                if stream.status == 200:
                    self.acknowledged[script.id] = stream.headers["x-turn-id"]
                    await stream.rest(seen)
                    self.shown[script.id] = seen.text
                else:
                    refusal = await stream.refusal()
                    assert stream.status in (409, 503), refusal
                    self.said.append(refusal["code"])
        return script.id in self.acknowledged


@dataclass
class Clock:
    """A run takes so long, and on a slow machine up to thrice as long until there is enough."""

    until: float
    enough: int
    clients: list[Client]

    @property
    def runs(self) -> bool:
        """Whether to ask on."""
        late = time.monotonic() - self.until
        acknowledged = sum(len(client.acknowledged) for client in self.clients)
        return late < 0 or (late < 2 * SECONDS and acknowledged < self.enough)


async def _trouble(stand: Stand, replicas: list[Replica], postgres: CrashingPostgres) -> int:
    """Kill one replica after another and crash the database, until cancelled."""
    kills, pace = 0, min(1.0, stand.scale)

    async def kill() -> None:
        nonlocal kills
        while True:
            await asyncio.sleep(KILLS_EVERY * pace)
            victim = kills % len(replicas)
            replicas[victim].kill()
            kills += 1
            replicas[victim] = await stand.start()

    async def crash() -> None:
        while True:
            await asyncio.sleep(CRASHES_EVERY * pace)
            await postgres.crash()

    with suppress(asyncio.CancelledError):
        await asyncio.gather(kill(), crash())
    return kills


async def _histories(clients: list[Client], database: Database) -> Judged:
    total = Judged([], [], [], [])
    for client in clients:
        assert client.person.conversation
        kept = await database.messages(client.person.conversation)
        judged = judge(client.scripts, set(client.acknowledged), kept)
        answers = "".join(row["content"] for row in kept if row["role"] == "assistant")
        taken_back = [id for id, text in client.shown.items() if text not in answers]
        total.lost += judged.lost + [f"shown and not kept: {id}" for id in taken_back]
        total.duplicated += judged.duplicated
        total.reordered += judged.reordered
        total.wrong += judged.wrong
    return total


async def test_a_minute_of_crashes_loses_doubles_and_reorders_nothing(bench: Bench) -> None:
    await minute_of_crashes(bench)


async def minute_of_crashes(bench: Bench, *, scale: float = 1.0, patch: str | None = None) -> None:
    """The check, on a Postgres that may be crashed."""
    with TemporaryDirectory(prefix="chatbridge-faults-") as home:
        os.chmod(home, 0o711)  # noqa: S103 - another user runs Postgres for root
        postgres = CrashingPostgres(Path(home, "postgres"))
        await postgres.start()
        try:
            await asyncio.to_thread(upgrade, postgres.url, "chatbridge")
            async with bench.on(postgres.url, scale=scale, patch=patch) as stand:
                await _check(stand, postgres)
        finally:
            await postgres.stop()


async def _check(stand: Stand, postgres: CrashingPostgres) -> None:
    replicas = list(await stand.pair())
    clients = [Client(Person(stand, f"client{number}")) for number in range(CLIENTS)]
    began = time.monotonic()
    clock = Clock(began + SECONDS * stand.scale, round(ENOUGH * stand.scale), clients)
    trouble = asyncio.create_task(_trouble(stand, replicas, postgres))
    await asyncio.gather(*(client.work(replicas, clock) for client in clients))
    seconds = time.monotonic() - began
    trouble.cancel()
    kills = await trouble
    database = Database(stand.sql)
    acknowledged = sum(len(client.acknowledged) for client in clients)
    judged = await _histories(clients, database)
    stand.promised(
        "kill -9 of replicas and crashes of Postgres",
        f"{seconds:.0f} s, {CLIENTS} clients, {kills} kills, {postgres.crashes} crashes",
        "nothing acknowledged is lost, doubled or reordered; no conversation is stuck",
        f"{acknowledged} acknowledged; {judged.figure}; "
        f"longest wait {max(client.longest for client in clients):.1f} s",
    )
    assert judged.faults == []
    assert acknowledged >= clock.enough
