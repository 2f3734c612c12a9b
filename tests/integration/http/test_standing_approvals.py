"""A tool that is approved for a whole conversation runs there unasked, until that ends."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from chatbridge.domain.model.tool import OnBehalf, Tool
from tests.chatkit_client import Json, add, retry, say
from tests.integration.http.asking import require_refused
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
from tests.integration.scripted_endpoint import ScriptedEndpoint

FOR_CONVERSATION = "approve_for_conversation"


class DescribedTools(CountingTools):
    """The same, as their server describes them at the moment."""

    def __init__(self) -> None:
        super().__init__()
        self.described = "v1"
        self.may_stand = True

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        pay, look = await super().tools(on_behalf)
        return (
            replace(pay, source="bank", fingerprint=self.described, may_stand=self.may_stand),
            look,
        )


class Conversation(Stage):
    """One person's conversation in which something was approved."""

    thread = ""
    described: DescribedTools

    async def pays(self, *, sum: int = 5) -> list[Json]:
        """What is on the screen after the model has asked for it."""
        self.endpoint.answers.clear()
        self.model(("pay", {"sum": sum}), then="Paid.")
        if not self.thread:
            self.thread, shown = await self.ask()
            return shown
        _, told = await say(self.client, add(self.thread, "once more"))
        return screen(told)

    async def approves_for_conversation(self) -> None:
        """What it asks next."""
        asked = call_of((await self.pays())[-1])
        answer = await self.answer(self.thread, asked, decision=FOR_CONVERSATION)
        assert answer.status_code == 200, answer.text

    async def standing(self) -> list[Json]:
        where = f"/api/{self.user}/conversations/{self.thread}/approvals"
        listed = await self.client.get(where)
        assert listed.status_code == 200, listed.text
        return listed.json()["items"]

    def paid(self) -> int:
        return len(self.tools.of(self.user))


@pytest.fixture(scope="module")
async def served_stage(store_url: str) -> AsyncGenerator[Conversation]:
    api = Api("responses" if store_url == "memory:" else "chat_completions")
    tools = DescribedTools()
    async with (
        ScriptedEndpoint().running() as endpoint,
        stage(store_url, endpoint, tools, api) as h,
    ):
        yield Conversation(h, endpoint, tools, api)


@pytest.fixture
def on(served_stage: Conversation) -> Conversation:
    tools = served_stage.tools
    assert isinstance(tools, DescribedTools)
    tools.described, tools.may_stand = "v1", True
    here = Conversation(served_stage.here, served_stage.endpoint, tools, served_stage.api)
    here.described = tools
    return here


def labels(item: Json) -> list[str]:
    said = json.dumps(item)
    offers = ("Approve", "Approve for this conversation", "Reject")
    return [label for label in offers if f'"label": "{label}"' in said]


async def test_what_is_approved_for_the_conversation_asks_no_more_there(
    on: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    card = (await on.pays())[-1]
    assert labels(card) == ["Approve", "Approve for this conversation", "Reject"]
    _, for_all, _ = buttons(card)
    on.endpoint.answers.clear()
    # in the answer that goes on too
    on.model(("pay", {"sum": 6}), then="Paid.")
    await on.press(on.thread, card, for_all)
    # the same click again runs nothing, another one is refused
    await on.press(on.thread, card, for_all)
    alone = await on.answer(on.thread, call_of(card), decision="approve")
    require_refused(alone, 409, "not_waiting")
    assert on.paid() == 2
    (standing,) = await on.standing()
    assert (standing["source"], standing["tool"]) == ("bank", "pay")
    with caplog.at_level(logging.INFO):
        shown = await on.pays()
    assert (on.paid(), shown[-1]["type"]) == (3, "assistant_message")
    assert standing["id"] in caplog.text
    # nor does one that is asked for again
    on.model(("pay", {"sum": 7}), then="Paid.")
    await say(on.client, retry(on.thread, (await on.reload(on.thread))[0]["id"]))
    assert (on.paid(), len(await on.standing())) == (4, 1)
    elsewhere = Conversation(on.here, on.endpoint, on.tools, on.api)
    elsewhere.user, elsewhere.client = on.user, on.client
    assert labels((await elsewhere.pays())[-1])
    assert await elsewhere.standing() == []
    await on.cancel(elsewhere.thread)


async def test_it_is_offered_and_taken_only_where_the_setting_allows_it(on: Conversation) -> None:
    on.described.may_stand = False
    card = (await on.pays())[-1]
    assert labels(card) == ["Approve", "Reject"]
    refused = await on.answer(on.thread, call_of(card), decision=FOR_CONVERSATION)
    require_refused(refused, 422, "wrong_answer")
    approve, _ = buttons(card)
    forged = {**approve, "type": "chatbridge.approve_for_conversation"}
    pressed = await on.client.post("/chatkit", json=act(on.thread, card["id"], forged))
    require_refused(pressed, 422, "wrong_answer")
    assert (on.paid(), await on.standing()) == (0, [])
    # what stood while it was allowed counts no more
    on.described.may_stand = True
    await on.approves_for_conversation()
    on.described.may_stand = False
    assert labels((await on.pays())[-1]) == ["Approve", "Reject"]
    await on.cancel(on.thread)


async def test_a_tool_that_is_described_in_another_way_asks_again_and_says_why(
    on: Conversation,
) -> None:
    await on.approves_for_conversation()
    on.described.described = "v2"
    shown = await on.pays()
    assert labels(shown[-1])
    assert "its description has changed since" in json.dumps(shown[-1])
    assert await on.reload(on.thread) == [*(await on.reload(on.thread))[:-1], shown[-1]]
    assert await on.standing() == []
    await on.answer(on.thread, call_of(shown[-1]), decision="reject")
    # it has ended: the earlier description asks too
    on.described.described = "v1"
    assert labels((await on.pays())[-1])
    assert on.paid() == 1
    await on.cancel(on.thread)


async def test_what_changed_between_the_question_and_its_approval_is_not_run(
    on: Conversation,
) -> None:
    card = (await on.pays())[-1]
    on.described.described = "v2"
    done = await on.answer(on.thread, call_of(card), decision=FOR_CONVERSATION)
    (call,) = done.json()["messages"][0]["tool_calls"]
    assert (call["state"], on.paid()) == ("withdrawn", 0)
    assert "described in another way" in call["output"]
    on.api.require_pairs(on.endpoint.requests[-1])
    # what was approved is what was asked about: the tool as it is now asks
    assert labels((await on.pays())[-1])
    assert on.paid() == 0
    await on.cancel(on.thread)


async def test_what_is_revoked_asks_again_in_the_next_answer(on: Conversation) -> None:
    await on.approves_for_conversation()
    (standing,) = await on.standing()
    where = f"/api/{on.user}/conversations/{on.thread}/approvals/{standing['id']}"
    mallory = Stage(on.here, on.endpoint, on.tools, on.api)
    theirs = where.replace(on.user, mallory.user)
    require_refused(await mallory.client.delete(theirs), 403, "forbidden")
    require_refused(await mallory.client.delete(where), 403, "not_your_account")
    assert (await on.client.delete(where)).status_code == 204
    require_refused(await on.client.delete(where), 404, "approval_not_found")
    assert labels((await on.pays())[-1])
    assert on.paid() == 1
    await on.cancel(on.thread)


@pytest.mark.parametrize("ends", ["reject", "a message"])
async def test_what_is_rejected_or_withdrawn_stands_for_nothing(
    on: Conversation, ends: str
) -> None:
    card = (await on.pays())[-1]
    if ends == "reject":
        await on.answer(on.thread, call_of(card), decision="reject")
    else:
        on.endpoint.answers.clear()
        on.endpoint.answer(*on.api.text("Well."))
        await say(on.client, add(on.thread, "no, wait"))
        late = await on.answer(on.thread, call_of(card), decision=FOR_CONVERSATION)
        require_refused(late, 409, "not_waiting")
    assert await on.standing() == []


async def test_of_two_different_clicks_at_once_one_counts(on: Conversation) -> None:
    for _ in range(2):
        on.thread = ""
        call = call_of((await on.pays())[-1])
        decisions = ("approve", FOR_CONVERSATION)
        clicks = (on.answer(on.thread, call, decision=each) for each in decisions)
        statuses = [answer.status_code for answer in await asyncio.gather(*clicks)]
        assert sorted(statuses) == [200, 409]
        assert len(await on.standing()) == statuses.index(200)


async def test_others_of_the_same_step_are_still_answered_one_by_one(on: Conversation) -> None:
    on.model(("pay", {"sum": 5}), ("pay", {"sum": 6}), ("pay", {"sum": 7}), then="Paid.")
    on.thread, shown = await on.ask()
    first, second, third = (
        each["payload"]["call_id"] for each in buttons(shown[-1]) if each["type"].endswith("reject")
    )
    assert (await on.answer(on.thread, first, decision=FOR_CONVERSATION)).status_code == 200
    assert (on.paid(), len(await on.standing())) == (0, 1)
    half = (await on.answer(on.thread, second, decision="reject")).json()
    assert (half["state"], on.paid()) == ("waiting", 0)
    whole = (await on.answer(on.thread, third, decision=FOR_CONVERSATION)).json()
    assert (whole["state"], len(await on.standing())) == ("completed", 1)
    assert on.tools.of(on.user) == [("pay", {"sum": 5}), ("pay", {"sum": 7})]
