"""A turn that waits, with time, other replicas and restarts in between."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.identifiers import CallId, ConversationId, UserId
from chatbridge.domain.model.transcript import Transcript
from tests.chatkit_client import Json, add, frames, say
from tests.integration.http.test_standing_approvals import Conversation, DescribedTools
from tests.integration.http.waiting_stage import (
    Api,
    CountingTools,
    Stage,
    act,
    buttons,
    call_of,
    screen,
    stage,
)
from tests.integration.scripted_endpoint import Answer as Reply
from tests.integration.scripted_endpoint import ScriptedEndpoint, function_call, responses
from tests.postgres import engine_on
from tests.waiting import until

PATIENCE = 2.0
LEASE = 2.0


async def test_what_nobody_answers_in_time_is_not_run(store_url: str) -> None:
    """Whoever comes first closes it: who answers, who reads, the sweep; a lost viewer does not."""
    api, tools = Api("responses"), CountingTools()
    turns = {"patience": PATIENCE, "lease": LEASE, "on_disconnect": "cancel"}
    async with (
        ScriptedEndpoint().running() as endpoint,
        stage(store_url, endpoint, tools, api, **turns) as here,
    ):
        on = Stage(here, endpoint, tools, api)
        asked = list[tuple[str, list[Json]]]()
        for _ in range(4):
            on.endpoint.answer(*api.calls(("pay", {"sum": 5})))
            asked.append(await on.ask())
        (answered, card), (read, _), (swept, _), (cut_off, given) = asked
        assert buttons((await on.reload(cut_off))[-1])
        # kept as the last answer, and nobody goes on with it
        turns_kept, user = here.container.store().turns, UserId(on.user)
        opened = await turns_kept.opened(user, ConversationId(cut_off))
        approved = Answer(call_id=CallId(call_of(given[-1])), decision="approved")
        said = Transcript(ConversationId(cut_off), opened.events)
        assert await turns_kept.answer(opened, approved.events(said))

        async def state_of(thread: str) -> str | None:
            last = await turns_kept.last(user, ConversationId(thread))
            return last and last.state

        async def ended(thread: str) -> str | None:
            async with asyncio.timeout(15):
                while (state := await state_of(thread)) in ("waiting", "running"):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            return state

        await asyncio.sleep(PATIENCE)
        late = await on.answer(answered, call_of(card[-1]), decision="approve")
        assert late.status_code == 409
        assert late.json()["code"] in ("question_expired", "not_waiting")
        states = [await ended(swept), await ended(cut_off)]
        kept = {thread: json.dumps((await on.reload(thread))[-1]) for thread, _ in asked}
        messages = await on.kept(cut_off)
        on.endpoint.answer(*api.text("So be it."))
        await say(on.client, add(cut_off, "so?"))
    assert states == ["cancelled", "interrupted"]
    for thread in (answered, read, swept):
        assert "Nobody has answered in time" in kept[thread]
        assert "onClickAction" not in kept[thread]
    assert [c["state"] for m in messages for c in m["tool_calls"]] == ["withdrawn"]
    assert on.tools.of(on.user) == []
    api.require_pairs(on.endpoint.requests[-1])


async def test_an_approved_call_is_watched_and_stopped_at_another_replica(
    postgres_url: str,
) -> None:
    api, tools = Api("chat_completions"), CountingTools()
    async with (
        ScriptedEndpoint().running() as endpoint,
        stage(postgres_url, endpoint, tools, api) as one,
        stage(postgres_url, endpoint, tools, api) as two,
    ):
        here, there = Stage(one, endpoint, tools, api), Stage(two, endpoint, tools, api)
        there.user, there.client = here.user, two.as_user(here.user)
        here.model(("pay", {"sum": 5}))
        thread, shown = await here.ask()
        tools.free.clear()
        clicked = act(thread, shown[-1]["id"], buttons(shown[-1])[0])
        both = [asyncio.create_task(s.client.post("/chatkit", json=clicked)) for s in (here, there)]
        await until(lambda: tools.of(here.user))
        assert "Running" in json.dumps((await there.reload(thread))[-1])
        assert await there.cancel(thread)
        seen = [screen(frames((await each).text), shown) for each in both]
        assert seen[0] == seen[1] == await here.reload(thread) == await there.reload(thread)
    assert "Outcome unknown" in json.dumps(seen[0])
    assert tools.of(here.user) == [("pay", {"sum": 5})]


class Demanding(ScriptedEndpoint):
    """Refuses a call that comes back without what was hung on it, as endpoints of models that think
    do."""

    def __init__(self, wanted: Sequence[str]) -> None:
        super().__init__()
        self.wanted = wanted

    def next_answer(self, asked: dict[str, Any]) -> Reply:
        sent = json.dumps(asked)
        missing = [each for each in self.wanted if each not in sent]
        if missing and ("function_call_output" in sent or '"role": "tool"' in sent):
            problem = {"error": {"message": f"{missing} is missing"}}
            return Reply((json.dumps(problem).encode(),), status=400)
        return super().next_answer(asked)


HUNG = {
    "responses": ("rs_7", "sealed"),
    "chat_completions": ('"reasoning_content": "Hm."', "signed_0"),
}


@pytest.mark.parametrize("name", HUNG)
async def test_what_a_provider_demands_back_goes_back_over_a_restart_and_is_shown_to_nobody(
    postgres_url: str, name: str
) -> None:
    api, tools, hung = Api(name), CountingTools(), HUNG[name]
    thought: Json = {
        "type": "reasoning",
        "id": "rs_7",
        "summary": [],
        "encrypted_content": "sealed",
    }
    pay = function_call("pay", '{"sum": 5}', "theirs_0")
    step = responses(thought, pay) if name == "responses" else api.calls(("pay", {"sum": 5}))
    async with Demanding(hung).running() as endpoint:
        async with stage(postgres_url, endpoint, tools, api) as here:
            before = Stage(here, endpoint, tools, api)
            endpoint.answer(*step)
            thread, shown = await before.ask()
        async with stage(postgres_url, endpoint, tools, api) as here:
            after = Stage(here, endpoint, tools, api)
            after.user, after.client = before.user, here.as_user(before.user)
            endpoint.answer(*api.text("Paid."))
            told = [json.dumps(shown), json.dumps(await after.reload(thread))]
            done = await after.answer(thread, call_of(shown[-1]), decision="approve")
            assert done.json()["state"] == "completed", done.text
            assert len(endpoint.requests) == 1, "it was refused, and asked again in other words"
            where = f"/api/{after.user}/turns/{done.json()['turn_id']}/events"
            told += [done.text, (await after.client.get(where)).text]
            told += [json.dumps(await after.reload(thread)), json.dumps(await after.kept(thread))]
            journal, messages = await kept_in(postgres_url, thread)
            await after.client.delete(f"/api/{after.user}/conversations/{thread}")
            assert await kept_in(postgres_url, thread) == ("", "")
    assert tools.of(before.user) == [("pay", {"sum": 5})]
    for secret in (each.removeprefix('"reasoning_content": ').strip('"') for each in hung):
        assert secret in journal
        assert [each for each in (*told, messages) if secret in each] == []


async def kept_in(url: str, thread: str) -> tuple[str, str]:
    """All that the journal and the messages hold of a conversation, as text."""
    journal = (
        "select e.event::text from chatbridge.turn_events e join chatbridge.turns t"
        " on t.user_id = e.user_id and t.id = e.turn_id where t.conversation_id = :id"
    )
    messages = "select m::text from chatbridge.messages m where m.conversation_id = :id"
    engine = engine_on(url)
    try:
        async with engine.connect() as connection:
            said, kept = [
                (await connection.execute(text(each), {"id": thread})).scalars().all()
                for each in (journal, messages)
            ]
    finally:
        await engine.dispose()
    return "".join(said), "".join(kept)


async def test_what_is_approved_for_the_conversation_stands_on_every_replica(
    postgres_url: str,
) -> None:
    tools, api = DescribedTools(), Api("responses")
    async with (
        ScriptedEndpoint().running() as endpoint,
        stage(postgres_url, endpoint, tools, api) as one,
        stage(postgres_url, endpoint, tools, api) as two,
    ):
        on = Conversation(one, endpoint, tools, api)
        card = (await on.pays())[-1]
        on.client = two.as_user(on.user)
        await on.press(on.thread, card, buttons(card)[1])
        on.client = one.as_user(on.user)
        await on.pays()
        assert on.paid() == 2
