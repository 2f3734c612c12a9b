"""The model's stream breaks off anywhere: half an answer is never taken for a whole one."""

import random
from dataclasses import replace

from tests.faults.asking import Person, in_lanes
from tests.faults.model import Script, whole_body
from tests.faults.model_dialects import DIALECTS
from tests.faults.oracles import Database
from tests.faults.stand import Replica, Stand

LANES = 8
APIS = {"responses": "/responses", "chat_completions": "/chat/completions"}


async def test_half_an_answer_is_never_kept_as_whole(direct_stand: Stand) -> None:
    stand = direct_stand
    for api, path in APIS.items():
        replica = await stand.start(CHATBRIDGE_AGENT__API=api)
        rounds = stand.rounds(100)
        faults = await in_lanes(
            LANES, [_truncated(stand, replica, path, f"{api}-{n}") for n in range(rounds)]
        )
        wrong = [fault for fault in faults if fault]
        stand.promised(
            f"the model's stream breaks off, {api}",
            rounds,
            "half an answer is never kept as a whole one, and what was shown is kept",
            f"otherwise {len(wrong)}",
        )
        assert wrong == []


async def _truncated(stand: Stand, replica: Replica, path: str, id: str) -> str:
    """What is wrong after the stream ended anywhere before the frame that says it is whole."""
    script = Script(id=id, words=8)
    body = whole_body(script, DIALECTS[path])
    said_whole = body.rstrip().removesuffix(b"data: [DONE]").rstrip()
    cut = random.randrange(len(said_whole))  # noqa: S311
    person = Person(stand, id)
    abrupt = random.random() < 0.5  # noqa: S311
    seen = await person.ask(replica, replace(script, cut=cut, abrupt=abrupt))
    database = Database(stand.sql)
    (turn,) = await database.turns(person.conversation or "")
    answer = (await database.messages(person.conversation or ""))[1:]
    whole = [row["content"] for row in answer if row["kind"] == "text"]
    if turn["state"] != "failed" or set(whole) - {script.text()}:
        return f"cut {cut}: {turn['state']}, {answer}"
    kept = "".join(row["content"] for row in answer)
    if kept != seen.text or not script.text().startswith(kept):
        return f"cut {cut}: shown {seen.text!r}, kept {kept!r}"
    return "" if "error" in seen.types else f"cut {cut}: told nobody"
