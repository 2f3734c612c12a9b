"""A replica is killed between a file's bytes and its row: neither is left without the other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from tests.chatkit_client import create
from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database, Row
from tests.faults.stand import Link, Replica, Stand
from tests.faults.viewing import Json

LANES = 5
WITHIN = 20.0
SWEPT_WITHIN = 8.0
FILE = b"milk,oats\n" * 20_000
AT = {
    "announced": ("add_attachment_1", "nothing", "awaited after 0"),
    "tried": ("SET tries=", "awaited after 0", "awaited after 1"),
    "received": ("SET size=", "awaited after 1", "kept after 1"),
    "taken back": ("SET name=", "kept after 1", "removed after 1"),
}
"""The statement with which a replica is killed, and where the row stands if it is not run any more,
and if it is."""

_AGED = "update chatbridge.attachments set created_at = created_at - interval '2 days'"


@dataclass
class Files:
    """All of a check: what is said of them, and what lies where their bytes are."""

    stand: Stand
    reader: Replica
    lost: list[str] = field(default_factory=list)

    async def rows(self) -> list[Row]:
        """What the database says."""
        return await Database(self.stand.sql).attachments()

    def sizes(self) -> dict[str, int]:
        """By their names, halves too."""
        every = (self.stand.home / "blobs").rglob("*")
        return {place.name: place.stat().st_size for place in every if place.is_file()}

    async def without_bytes(self) -> list[str]:
        """Those that say they have bytes, and have none, or others than they say."""
        sizes = self.sizes()
        rows = [row for row in await self.rows() if row["state"] == "kept"]
        return [r["id"] for r in rows if sizes.get(f"{r['id']}_{r['number']}") != r["size"]]

    async def swept(self) -> list[str]:
        """What is left after the sweep of a replica that starts two days later, and that neither
        a message nor the row of one speaks of."""
        await self.stand.sql.execute(_AGED)
        replica = await _replica(self.stand)
        try:
            await eventually(self._nothing_left, SWEPT_WITHIN, "what nobody wants is gone")
        except AssertionError:
            pass
        finally:
            replica.kill()
        return await self._left()

    async def _nothing_left(self) -> bool:
        return not await self._left()

    async def _left(self) -> list[str]:
        rows = await self.rows()
        wanted = [row for row in rows if row["conversation_id"]]
        names = {f"{row['id']}_{n + 1}" for row in wanted for n in range(row["tries"])}
        lying = [name for name in self.sizes() if name.partition(".")[0] not in names]
        return [row["id"] for row in rows if row not in wanted] + lying


@dataclass
class Owner:
    """A replica that will be killed, the network between it and the database, and who is there."""

    files: Files
    person: Person
    replica: Replica
    link: Link

    async def announce(self, at: Replica) -> Json:
        """A file that will come."""
        params = {"name": "a.csv", "mime_type": "text/csv", "size": len(FILE)}
        asked = {"type": "attachments.create", "params": params}
        return (await self.person.post(at, "/chatkit", asked)).json()

    async def bring(self, new: Json, at: Replica, body: AsyncIterator[bytes] | bytes) -> int:
        """Put its bytes, with nothing but its address."""
        asked = urlsplit(new["upload_descriptor"]["url"])
        url = f"{at.url}{asked.path}?{asked.query}"
        return (await self.files.stand.client.put(url, content=body)).status_code

    async def take_back(self, new: Json, at: Replica) -> None:
        """Not to be sent."""
        asked = {"type": "attachments.delete", "params": {"attachment_id": new["id"]}}
        await self.person.post(at, "/chatkit", asked)

    async def send(self, new: Json) -> None:
        """With a message, at the other replica, where its bytes are looked at."""
        said = create(Script(id=f"f-{self.person.user}", words=2).prompt())
        said["params"]["input"]["attachments"] = [new["id"]]
        answer = await self.person.post(self.files.reader, "/chatkit", said)
        path = f"/api/{self.person.user}/attachments/{new['id']}"
        got = await self.person.get(self.files.reader, path)
        if (answer.status_code, got.content) != (200, FILE):
            self.files.lost.append(f"{self.person.user}: {answer.status_code}, {got.status_code}")

    async def kill(self, *, runs: bool) -> None:
        """While its statement is on the way, which is run all the same, or never."""

        async def held() -> bool:
            return bool(await self.link.do("held"))

        await eventually(held, WITHIN, f"{self.person.user}: its statement is on the way")
        self.replica.kill()
        await self.replica.process.ended()
        await self.link.do("release" if runs else "cut")


async def test_a_kill_between_bytes_and_row_leaves_neither_without_the_other(
    direct_stand: Stand,
) -> None:
    stand = direct_stand
    files = Files(stand, await _replica(stand))
    await _left_behind(files)
    rounds = [_in_statement(files, moment, runs=runs) for moment in AT for runs in (False, True)]
    await in_lanes(LANES, [*rounds, *(_in_the_middle(files, again=a) for a in (False, True))])
    without = await files.without_bytes()
    await stand.sql.execute(_AGED)
    for runs in (False, True):
        await _in_the_sweep(files, runs=runs)
    without += await files.without_bytes()
    left = await files.swept()
    kept = len(await files.rows())
    if not left:
        await stand.sql.execute("delete from chatbridge.conversations")
        left = await files.swept()
    stand.promised(
        "kill -9 between a file's bytes and its row",
        len(rounds) + 4,
        "no row without its bytes, no bytes that nobody removes; what came is sent",
        f"without bytes {len(without)}, left {len(left)}, lost {len(files.lost)}",
    )
    assert without == []
    assert left == []
    assert files.lost == []
    assert kept == len(AT) + 1


async def _left_behind(files: Files) -> None:
    """A file that the sweep comes to first."""
    owner = Owner(files, Person(files.stand, "nobody"), files.reader, await files.stand.link())
    assert await owner.bring(await owner.announce(files.reader), files.reader, FILE) == 204


async def _in_statement(files: Files, moment: str, *, runs: bool) -> None:
    """Killed with one of its statements; what was not run is done again elsewhere, and sent."""
    text, before, after = AT[moment]
    owner = await _owner(files, f"{moment}-{runs}")
    new: Json = {}
    if moment != "announced":
        new = await owner.announce(owner.replica)
    if moment == "taken back":
        assert await owner.bring(new, owner.replica, FILE) == 204
    await owner.link.do("hold", text=text)
    last = {
        "announced": lambda: owner.announce(owner.replica),
        "taken back": lambda: owner.take_back(new, owner.replica),
    }.get(moment, lambda: owner.bring(new, owner.replica, FILE))
    asking = asyncio.ensure_future(last())
    await owner.kill(runs=runs)
    assert isinstance((await asyncio.gather(asking, return_exceptions=True))[0], httpx.HTTPError)

    async def so() -> bool:
        rows = [row for row in await files.rows() if row["user_id"] == owner.person.user]
        stands = [f"{row['state']} after {row['tries']}" for row in rows] or ["nothing"]
        return stands == [after if runs else before]

    await eventually(so, WITHIN, f"{owner.person.user}: it stands as it should")
    if not runs:
        new = new or await owner.announce(files.reader)
        assert await owner.bring(new, files.reader, FILE) == 204
        await owner.send(new)


async def _in_the_middle(files: Files, *, again: bool) -> None:
    """Killed with half a file on disk; it may be brought again."""
    owner = await _owner(files, f"half-{again}")
    new = await owner.announce(owner.replica)

    async def half() -> AsyncIterator[bytes]:
        yield FILE[: len(FILE) // 2]
        await asyncio.Event().wait()

    async def lies() -> bool:
        return any(size for name, size in files.sizes().items() if name.startswith(new["id"]))

    bringing = asyncio.create_task(owner.bring(new, owner.replica, half()))
    await eventually(lies, WITHIN, "half of it is on disk")
    owner.replica.kill()
    await owner.replica.process.ended()
    bringing.cancel()
    await asyncio.wait([bringing])
    if again:
        assert await owner.bring(new, files.reader, FILE) == 204
        await owner.send(new)


async def _in_the_sweep(files: Files, *, runs: bool) -> None:
    """Killed when it has deleted the bytes of one that nobody wants, with its row on the way."""
    link, (oldest, *_) = await files.stand.link(), await files.rows()
    await link.do("hold", text="DELETE FROM chatbridge.attachments")
    person = Person(files.stand, "the-sweep")
    owner = Owner(files, person, await _replica(files.stand, DATABASE_URL=link.url), link)
    await owner.kill(runs=runs)

    async def so() -> bool:
        return (oldest["id"] in [row["id"] for row in await files.rows()]) is not runs

    await eventually(so, WITHIN, f"the row is gone: {runs}")


async def _owner(files: Files, user: str) -> Owner:
    link = await files.stand.link()
    replica = await _replica(files.stand, DATABASE_URL=link.url)
    return Owner(files, Person(files.stand, user.replace(" ", "-")), replica, link)


async def _replica(stand: Stand, **more: str) -> Replica:
    return await stand.start(CHATBRIDGE_BLOBS__URL=f"file:{stand.home / 'blobs'}", **more)
