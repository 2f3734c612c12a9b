"""People watch: they change replicas, lose their connection, or stop reading."""

import asyncio
import random
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.stand import Replica, Stand, signed_in
from tests.faults.viewing import Seen, Stream

LANES = 20
HOPS = 3

SOCKETS = 500
LONG = Script(id="long", words=300, pause=0.05, size=100)
DROPPED_WITHIN = 45.0
_LISTENS = "0A"
SLOWER_AT_MOST = 1.5
BYTES_PER_SOCKET = 200_000


async def test_a_viewer_who_changes_replicas_misses_nothing_and_sees_nothing_twice(
    stand: Stand,
) -> None:
    replicas = await stand.pair()
    turns = stand.rounds(200)
    outcomes = await in_lanes(LANES, [_hop(stand, replicas, number) for number in range(turns)])
    hops = sum(hops for hops, _ in outcomes)
    different = [number for number, (_, same) in enumerate(outcomes) if not same]
    stand.promised(
        "a viewer goes on at another replica",
        f"{turns} turns, {hops} hops",
        "the same events as in one whole viewing, byte for byte",
        f"different {len(different)}",
    )
    assert different == []
    assert hops


async def _hop(stand: Stand, replicas: tuple[Replica, Replica], number: int) -> tuple[int, bool]:
    """How often this viewer has gone on elsewhere, and whether it has seen what there was."""
    owner, other = random.sample(replicas, 2)
    person, seen = Person(stand, f"user{number}"), Seen()
    tool = "charge" if number % 4 == 0 else None
    script = Script(id=f"h{number}", words=30, pause=0.03, tool=tool)
    planned = random.randint(0, HOPS)  # noqa: S311
    hops, at, over = 0, other, False
    async with person.asking(owner, script) as stream:
        assert stream.status == 200, await stream.refusal()
        over = await _some(stream, seen, planned > 0)
    while not over:
        hops += 1
        async with person.following(at, seen.cursor or f"{person.turn}/0") as stream:
            assert stream.status == 200, await stream.refusal()
            assert stream.headers["x-turn-id"] == person.turn
            over = await _some(stream, seen, hops < planned)
        at = owner if at is other else other
    whole = [Seen(), Seen()]
    for each, viewing in zip(replicas, whole, strict=True):
        async with person.following(each, f"{person.turn}/0") as stream:
            assert await stream.rest(viewing)
    same = {viewing.bytes() for viewing in (seen, *whole)}
    return hops, len(same) == 1 and seen.text == script.text()


async def _some(stream: Stream, seen: Seen, leave: bool) -> bool:
    """Watch some frames, or all that come; whether the stream has ended."""
    patience = random.randint(0, 15)  # noqa: S311
    try:
        async for _ in stream.frames(seen):
            patience -= 1
            if leave and patience <= 0:
                return False
    except httpx.TransportError as error:
        raise AssertionError(f"a stream broke off after {seen.types[-3:]}") from error
    return True


async def test_sockets_that_nobody_reads_slow_nobody_and_are_dropped(
    direct_stand: Stand,
) -> None:
    stand = direct_stand
    (replica, free), person = await stand.pair(), Person(stand, "alice")
    count, script = stand.rounds(SOCKETS), LONG
    await person.ask(replica, Script(id="first", words=1))
    memory = replica.memory
    with ExitStack() as sockets:
        async with person.asking(replica, script) as stream:
            await stream.until_text(Seen(), 1)
            for _ in range(count):
                sockets.enter_context(await _watching(replica, person))
            connected = time.monotonic()
            await eventually(lambda: _unread(replica, count), 10, "all have something unread")
            assert await stream.rest(Seen())
        each = max(0, replica.memory - memory) / count
        slower = await _slower(stand, replica, free)
        await eventually(lambda: _unread(replica, 0), DROPPED_WITHIN, "unread sockets are dropped")
    stand.promised(
        "sockets that are not read",
        count,
        f"others' turns take as long, at most {BYTES_PER_SOCKET // 1000} kB each, dropped",
        f"turn time x {slower:.2f}, {each / 1000:.0f} kB each, "
        f"all dropped {time.monotonic() - connected:.0f} s after they came",
    )
    assert slower < SLOWER_AT_MOST
    assert each < BYTES_PER_SOCKET


async def _slower(stand: Stand, replica: Replica, free: Replica) -> float:
    """How many times as long a turn takes there as at one without sockets, the middle one of some.

    In turn at both: what else the machine does slows both.
    """
    times: dict[str, list[float]] = {replica.url: [], free.url: []}
    for number in range(14):
        at = (replica, free)[number % 2]
        began = time.monotonic()
        await Person(stand, "bob").ask(at, Script(id=f"pace{number}", words=20, pause=0.02))
        times[at.url].append(time.monotonic() - began)
    here, there = (sorted(taken)[len(taken) // 2] for taken in times.values())
    return here / there


async def _watching(replica: Replica, person: Person) -> socket.socket:
    """A viewer of the answer under way who asks and then never reads."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    address = urlsplit(replica.url)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, (address.hostname, address.port))
    lines = [
        f"GET /chatkit/threads/{person.conversation}/events HTTP/1.1",
        f"Host: {address.netloc}",
        *(f"{name}: {value}" for name, value in signed_in(person.user).items()),
    ]
    await loop.sock_sendall(made, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return made


async def _unread(replica: Replica, count: int) -> bool:
    """Whether so many of its connections have something unsent, as the kernel sees it."""
    port = f":{urlsplit(replica.url).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]  # noqa: ASYNC240
    unsent = [r for r in rows if r[1].endswith(port) and r[3] != _LISTENS and int(r[4][:8], 16)]
    return len(unsent) == count
