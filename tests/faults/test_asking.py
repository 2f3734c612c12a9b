"""The same request twice, two requests at once, and a stop, over two replicas."""

import asyncio
import time

import httpx

from tests.faults.asking import Person, eventually, in_lanes
from tests.faults.model import Script
from tests.faults.oracles import Database
from tests.faults.stand import Replica, Stand
from tests.faults.table import spread
from tests.faults.viewing import Seen

LANES = 4
COPIES = 10
STOPPED_WITHIN = 1.5
GIVEN_UP_AFTER = 8.0


async def test_ten_copies_of_a_request_are_one_turn_and_ten_whole_streams(stand: Stand) -> None:
    replicas = await stand.pair()
    rounds = stand.rounds(20)
    faults = await in_lanes(LANES, [_copies(stand, replicas, n) for n in range(rounds)])
    stand.promised(
        "one request sent ten times at once, to two replicas",
        rounds,
        "one conversation, one turn, one message, ten identical streams",
        f"broken {sum(map(bool, faults))}",
    )
    assert [fault for fault in faults if fault] == []


async def _copies(stand: Stand, replicas: tuple[Replica, Replica], number: int) -> list[str]:
    """What is wrong after a conversation was begun ten times, and gone on with ten times."""
    wrong: list[str] = []
    user = f"user{number}"
    first = Person(stand, user)
    for step in ("begin", "go-on"):
        people = [Person(stand, user) for _ in range(COPIES)]
        for person in people:
            person.conversation = first.conversation
        script = Script(id=f"c{number}-{step}", words=10, pause=0.02)
        key = {"Idempotency-Key": script.id}
        seen = await asyncio.gather(
            *(p.ask(replicas[n % 2], script, **key) for n, p in enumerate(people))
        )
        first = people[0]
        if len({person.turn for person in people}) != 1:
            wrong.append(f"{step}: several turns")
        if len({viewing.bytes() for viewing in seen}) != 1 or seen[0].text != script.text():
            wrong.append(f"{step}: different streams")
        if seen[0].types[-1] != "thread.item.done":
            wrong.append(f"{step}: ended with {seen[0].types[-1]}")
        if stand.model_saw(script.id).count("asked") != 1:
            wrong.append(f"{step}: the model was asked again")
        other = Script(id=f"c{number}-other", words=1)
        async with first.asking(replicas[1], other, **key) as stream:
            if stream.status != httpx.codes.UNPROCESSABLE_ENTITY:
                wrong.append(f"{step}: another request is {stream.status}")
    database = Database(stand.sql)
    counted = [await database.count(t, user) for t in ("conversations", "turns", "messages")]
    return wrong if counted == [1, 2, 4] else [*wrong, f"kept {counted}"]


async def test_of_two_questions_at_once_one_is_answered_and_one_refused(stand: Stand) -> None:
    replicas = await stand.pair()
    rounds = stand.rounds(50)
    outcomes = await in_lanes(LANES, [_race(stand, replicas, n) for n in range(rounds)])
    wrong = [statuses for statuses, _ in outcomes if statuses != [200, 409]]
    stand.promised(
        "two questions at once, policy reject",
        rounds,
        "exactly one is answered, the other is 409",
        f"otherwise {len(wrong)}; refused after {spread([seconds for _, seconds in outcomes])}",
    )
    assert await _most_running(stand) == 1
    assert wrong == []


async def _race(
    stand: Stand, replicas: tuple[Replica, Replica], number: int
) -> tuple[list[int], float]:
    """Both statuses, and how long the refused one took."""
    person = Person(stand, f"user{number}")
    await person.ask(replicas[0], Script(id=f"d{number}", words=1))
    refused_after, both = 0.0, asyncio.Barrier(2)

    async def ask(side: int) -> int:
        nonlocal refused_after
        began = time.monotonic()
        script = Script(id=f"d{number}-{side}", words=100, pause=0.08)
        async with person.asking(replicas[side], script) as stream:
            if stream.status != 200:
                refused_after = time.monotonic() - began
            # the one goes on until it is known what becomes of the other
            await both.wait()
            await person.stop(replicas[side])
            await stream.rest(Seen())
            return stream.status

    statuses = await asyncio.gather(ask(0), ask(1))
    return sorted(statuses), refused_after


async def _most_running(stand: Stand) -> int:
    """The most turns of one conversation whose times overlapped."""
    overlapping = await stand.sql.fetchval(
        "select count(*) from chatbridge.turns a join chatbridge.turns b"
        " on a.conversation_id = b.conversation_id and a.id < b.id"
        " and tstzrange(a.created_at, a.ended_at) && tstzrange(b.created_at, b.ended_at)"
    )
    return 1 + overlapping


async def test_a_question_that_interrupts_stops_the_answer_and_is_answered(stand: Stand) -> None:
    replicas = await stand.pair()
    rounds = stand.rounds(50)
    outcomes = await in_lanes(LANES, [_interrupt(stand, replicas, n) for n in range(rounds)])
    wrong = [outcome for outcome in outcomes if outcome]
    stand.promised(
        "a question during an answer, policy interrupt",
        rounds,
        "the first ends cancelled and is kept, the second is answered whole",
        f"otherwise {len(wrong)}",
    )
    assert wrong == []
    assert await _most_running(stand) == 1


async def _interrupt(stand: Stand, replicas: tuple[Replica, Replica], number: int) -> str:
    """What is wrong."""
    person, seen = Person(stand, f"user{number}"), Seen()
    first, second = (
        Script(id=f"i{number}-{n}", words=words, pause=0.03) for n, words in enumerate((500, 5))
    )
    asked_at = replicas[number % 2]
    async with person.asking(asked_at, first) as stream:
        await stream.until_text(seen, 1 + number % 5)
        watching = asyncio.create_task(stream.rest(seen))
        policy = {"X-Chatbridge-On-Busy": "interrupt"}
        answer = await person.ask(replicas[number // 2 % 2], second, **policy)
        await watching
    kept = await Database(stand.sql).messages(person.conversation or "")
    states = [row["state"] for row in await Database(stand.sql).turns(person.conversation or "")]
    if states != ["cancelled", "completed"] or answer.text != second.text():
        return f"{states}, {answer.text!r}"
    contents = [row["content"] for row in kept if row["role"] == "assistant"]
    return "" if contents == [seen.text, second.text()] else f"kept {contents}"


async def test_a_stop_at_another_replica_ends_the_model_call_and_keeps_what_was_shown(
    stand: Stand,
) -> None:
    replicas = await stand.pair()
    rounds = stand.rounds(20)
    outcomes = await in_lanes(LANES, [_stop(stand, replicas, n) for n in range(rounds)])
    wrong = [fault for _, fault in outcomes if fault]
    times = [seconds for seconds, _ in outcomes]
    stand.promised(
        "a stop at the other replica",
        rounds,
        f"the answer and the model's call end within {STOPPED_WITHIN} s; what was shown is kept",
        f"{spread(times)}; otherwise {len(wrong)}",
    )
    assert wrong == []
    assert max(times) < STOPPED_WITHIN


async def _stop(stand: Stand, replicas: tuple[Replica, Replica], number: int) -> tuple[float, str]:
    """How long it took, and what is wrong; every other model is silent while it is stopped."""
    person, seen = Person(stand, f"user{number}"), Seen()
    pause = 0.03 if number % 2 else 30.0
    script = Script(id=f"s{number}", words=500, pause=pause)
    async with person.asking(replicas[0], script) as stream:
        await stream.until_text(seen, 5 if number % 2 else 1)
        began = time.monotonic()
        assert await person.stop(replicas[1])
        try:
            async with asyncio.timeout(GIVEN_UP_AFTER):
                await stream.rest(seen)
        except TimeoutError:
            return GIVEN_UP_AFTER, "not stopped"

        async def hung_up() -> bool:
            return stand.model_saw(script.id) == ["asked", "gone"]

        await eventually(hung_up, GIVEN_UP_AFTER, "the model's call ends")
        took = time.monotonic() - began
    kept = await Database(stand.sql).messages(person.conversation or "")
    (turn,) = await Database(stand.sql).turns(person.conversation or "")
    whole = (turn["state"], kept[-1]["kind"], kept[-1]["content"])
    return took, "" if whole == ("cancelled", "partial", seen.text) else f"{whole}, {seen.text!r}"
