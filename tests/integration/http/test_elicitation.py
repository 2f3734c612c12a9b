"""A tool server asks the person: the question is kept, answered anywhere, and goes back to it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from tests.chatkit_client import Json, create, items, say
from tests.integration.asking_server import SIGN_IN, AskingServer
from tests.integration.http.test_waiting import Api, act, buttons, screen
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.integration.tool_servers import older, probe_at, serving
from tests.serving import served, settings_for

ROOM = {"seat": "A1", "nights": 2, "breakfast": True}


class Hotel:
    """A person in a chat with a model that calls the server's tools, over a store."""

    def __init__(self, store_url: str, server: AskingServer, endpoint: ScriptedEndpoint, url: str):
        self.store_url, self.server, self.endpoint, self.url = store_url, server, endpoint, url
        self.api = Api("responses" if store_url == "memory:" else "chat_completions")
        self.user = f"user-{uuid4().hex[:12]}"
        self.longest = 600.0
        self.path = f"/api/{self.user}/conversations"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[httpx.AsyncClient]:
        """A replica, or the one after a restart."""
        agent = {
            "model": "m",
            "base_url": self.endpoint.url,
            "api_key": "k",
            "api": self.api.name,
        }
        probe = replace(probe_at(self.url, name="hotel"), longest=self.longest)
        tools = McpToolProvider([probe])

        def override(container: Any) -> None:
            container.tools.override(tools)

        async with served(settings_for(self.store_url, agent=agent), override) as here:
            yield here.as_user(self.user)
        await tools.close()

    @asynccontextmanager
    async def another(self, client: httpx.AsyncClient) -> AsyncGenerator[httpx.AsyncClient]:
        """Another replica, where the store is more than one's own."""
        if self.store_url == "memory:":
            yield client
        else:
            async with self.open() as other:
                yield other

    async def asked(self, client: httpx.AsyncClient, what: str) -> tuple[str, Json]:
        """The conversation and the call, once it asks this."""
        async with asyncio.timeout(20):
            while True:
                listed = (await client.get(self.path)).json()["items"]
                for where in [each["id"] for each in listed]:
                    for call in await self.calls(client, where):
                        asks = [each["id"] for each in (call["form"] or {}).get("questions", ())]
                        if call["state"] == "waiting" and what in asks:
                            return where, call
                await asyncio.sleep(0.05)

    def model(self, *asked: tuple[str, Json], then: str = "Done.") -> None:
        self.endpoint.answer(*self.api.calls(*asked)).answer(*self.api.text(then))

    async def ask(self, client: httpx.AsyncClient) -> Json:
        answer = await client.post(f"/api/{self.user}/chat", json={"message": "book"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def answer(
        self, client: httpx.AsyncClient, where: str, call: Json, **body: Any
    ) -> httpx.Response:
        answers = f"{self.path}/{where}/answers"
        asked = {"call_id": call["id"], "round": call["form"]["round"]}
        return await client.post(answers, json={**asked, **body})

    async def calls(self, client: httpx.AsyncClient, where: str) -> list[Json]:
        kept = await client.get(f"{self.path}/{where}/messages", params={"limit": 100})
        return [call for each in kept.json()["items"] for call in each.get("tool_calls") or ()]


@pytest.fixture
async def older_hotel(store_url: str) -> AsyncGenerator[Hotel]:
    """By the version of before 2026-07-28: it asks while its call goes on."""
    server = AskingServer()
    async with serving(older(server.app())) as url, ScriptedEndpoint().running() as endpoint:
        yield Hotel(store_url, server, endpoint, url)


@pytest.fixture
async def hotel(store_url: str) -> AsyncGenerator[Hotel]:
    server = AskingServer()
    async with serving(server.app()) as url, ScriptedEndpoint().running() as endpoint:
        yield Hotel(store_url, server, endpoint, url)


async def test_a_form_is_answered_after_a_restart_and_asks_once_more(hotel: Hotel) -> None:
    hotel.model(("book", {"hotel": "Ritz"}), ("plain", {}), then="Booked.")
    async with hotel.open() as client:
        turn = await hotel.ask(client)
        assert turn["state"] == "waiting"
        where = turn["conversation_id"]
        call, other = await hotel.calls(client, where)
        assert (call["state"], call["asks"], other["state"]) == ("waiting", "answers", "succeeded")
        assert (call["form"]["source"], call["form"]["title"]) == ("hotel", "Your room at Ritz")
        if hotel.store_url == "memory:":
            await go_on(hotel, client, where, call)
    if hotel.store_url != "memory:":
        async with hotel.open() as client:
            await go_on(hotel, client, where, call)


async def go_on(hotel: Hotel, client: httpx.AsyncClient, where: str, call: Json) -> None:
    wrong = await hotel.answer(client, where, call, answers={"seat": "A1", "nights": 10})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_answer")
    turn = (await hotel.answer(client, where, call, answers={"seat": "A1"})).json()
    assert turn["state"] == "waiting"
    call, _ = await hotel.calls(client, where)
    assert [each["id"] for each in call["form"]["questions"]] == ["sure"]
    turn = (await hotel.answer(client, where, call, answers={"sure": True})).json()
    assert turn["state"] == "completed"
    call, _ = await hotel.calls(client, where)
    assert (call["state"], call["output"]) == ("succeeded", f"Ritz: {ROOM}, booked")
    assert hotel.server.told == ["accept"]
    first, second, third = (each for each in hotel.server.calls() if each["name"] == "book")
    assert "requestState" not in first
    assert second["requestState"] != third["requestState"]
    assert second["arguments"] == third["arguments"] == {"hotel": "Ritz"}


async def test_an_older_server_waits_in_its_call_for_an_answer_from_any_replica(
    older_hotel: Hotel,
) -> None:
    hotel = older_hotel
    hotel.model(("book", {"hotel": "Ritz"}), then="Booked.")
    async with hotel.open() as client, hotel.another(client) as other:
        asking = asyncio.create_task(hotel.ask(client))
        where, call = await hotel.asked(other, "seat")
        assert call["form"]["live"]
        wrong = await hotel.answer(other, where, call, answers={"seat": "too long"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_answer")
        both = [hotel.answer(each, where, call, answers={"seat": "A1"}) for each in (client, other)]
        answering = asyncio.gather(*both)
        where, call = await hotel.asked(other, "sure")
        last = await hotel.answer(other, where, call, answers={"sure": "No"})
        assert [each.json()["state"] for each in (*await answering, last)] == ["completed"] * 3
        assert (await asking)["state"] == "completed"
        (call,) = await hotel.calls(client, where)
        assert (call["state"], call["output"]) == ("succeeded", f"Ritz: {ROOM}, not booked")
        late = await hotel.answer(client, where, call, answers={"sure": "Yes"})
        assert (late.status_code, late.json()["code"]) == (409, "not_waiting")


async def test_the_card_of_the_call_has_the_form_and_says_who_asks(hotel: Hotel) -> None:
    hotel.model(("book", {"hotel": "Ritz"}), then="Booked.")
    async with hotel.open() as client:
        where, told = await say(client, create("book"))
        (card,) = [item for item in screen(told) if item["type"] == "widget"]
        assert "hotel asks" in json.dumps(card)
        assert "requestState" not in json.dumps(told)
        answer, decline = reversed(buttons(card))
        assert decline["type"] == "chatbridge.decline"
        filled = {**answer, "payload": {**answer["payload"], "answer-0": "A1", "answer-2": "false"}}
        _, told = await say(client, act(where, card["id"], filled))
        (card,) = screen(told, [card])
        # whoever presses the first form again answers nothing of the second
        _, again = await say(client, act(where, card["id"], filled))
        assert screen(again, [card]) == [card]
        _, told = await say(client, act(where, card["id"], buttons(card)[0]))
        call, *_ = await hotel.calls(client, where)
        booked = f"Ritz: {ROOM | {'breakfast': False}}, not booked"
        assert (call["state"], call["output"]) == ("succeeded", booked)


async def test_what_is_declined_withdrawn_or_refused_is_told_apart(hotel: Hotel) -> None:
    async with hotel.open() as client:
        hotel.model(("book", {"hotel": "Ritz"}), ("unlock", {}), then="No room.")
        where = (turn := await hotel.ask(client))["conversation_id"]
        assert turn["state"] == "waiting"
        call, refused = await hotel.calls(client, where)
        assert refused["state"] == "failed"
        assert "“Api Key” in a form" in refused["output"]
        await hotel.answer(client, where, call, decision="skip")
        call, _ = await hotel.calls(client, where)
        assert (call["output"], hotel.server.told) == ("no room: decline", ["decline"])

        hotel.model(("book", {"hotel": "Ritz"}))
        where = (await hotel.ask(client))["conversation_id"]
        assert (await client.post(f"{hotel.path}/{where}/cancel")).json() == {"cancelled": True}
        (call,) = await hotel.calls(client, where)
        assert call["state"] == "withdrawn"
        assert hotel.server.told == ["decline"]


async def test_a_page_is_opened_by_a_link_and_done_says_so(hotel: Hotel) -> None:
    hotel.model(("sign_in", {}), ("confirm", {}), ("pay", {}), then="In.")
    async with hotel.open() as client:
        where, told = await say(client, create("sign in"))
        (card,) = [item for item in screen(told) if item["type"] == "widget"]
        assert f"[Open bank.example]({SIGN_IN})" in json.dumps(card)
        done = [a for a in buttons(card) if a["type"] == "chatbridge.answer"]
        await say(client, act(where, card["id"], done[0]))
        reason = {**done[1], "payload": {**done[1]["payload"], "answer-1": "to see"}}
        await say(client, act(where, card["id"], reason))
        await say(client, act(where, card["id"], done[2]))
        assert [call["output"] for call in await hotel.calls(client, where)] == [
            "signed in: accept",
            "confirmed with round 1",
            "paid",
        ]
        agreed, why = hotel.server.told[1].values()
        assert (agreed["action"], why["content"]) == ("accept", {"why": "to see"})


async def test_a_question_of_an_open_call_ends_with_it_however_that_ends(
    older_hotel: Hotel,
) -> None:
    hotel = older_hotel
    async with hotel.open() as client:
        # the server goes on without an answer
        hotel.model(("hasty", {}))
        asking = asyncio.create_task(hotel.ask(client))
        where, call = await hotel.asked(client, "sure")
        hotel.server.hurry.set()
        assert (await asking)["state"] == "completed"
        (after,) = await hotel.calls(client, where)
        assert (after["state"], after["output"]) == ("succeeded", "went on with nothing")
        late = await hotel.answer(client, where, call, answers={"sure": "Yes"})
        assert (late.status_code, late.json()["code"]) == (409, "not_waiting")

        # the person stops the turn
        hotel.server.hurry.clear()
        hotel.model(("hasty", {}))
        asking = asyncio.create_task(hotel.ask(client))
        where, _ = await hotel.asked(client, "sure")
        assert (await client.post(f"{hotel.path}/{where}/cancel")).json() == {"cancelled": True}
        assert (await asking)["state"] == "cancelled"
        (after,) = await hotel.calls(client, where)
        assert after["state"] == "unknown"
        assert hotel.server.came[-1]["error"]["message"] == "Connection closed"
        assert hotel.server.came[-2]["method"] == "notifications/cancelled"

    # nobody answers in time
    hotel.endpoint.answers.clear()
    hotel.longest = 0.5
    async with hotel.open() as client:
        hotel.model(("hasty", {}))
        turn = await hotel.ask(client)
        (after,) = await hotel.calls(client, turn["conversation_id"])
        assert (after["state"], after["output"]) == ("succeeded", "went on with cancel")


async def test_a_page_answers_while_the_turn_still_streams_to_it(older_hotel: Hotel) -> None:
    hotel = older_hotel
    hotel.model(("hasty", {}), then="Done.")
    async with hotel.open() as client:
        telling = asyncio.create_task(say(client, create("hurry")))
        where, _ = await hotel.asked(client, "sure")
        (card,) = await shown(client, where)
        send = buttons(card)[-1]
        # by a request that begins no turn: pages hold back those that do
        assert send["streaming"] is False
        pressed = act(where, card["id"], {**send, "payload": {**send["payload"], "answer-0": True}})
        answer = await client.post(
            "/chatkit", json={**pressed, "type": "threads.sync_custom_action"}
        )
        assert (answer.status_code, answer.json()) == (200, {"updated_item": None})
        _, told = await telling
        (card, _) = [item for item in screen(told) if item["type"] != "user_message"]
        assert buttons(card) == []
        assert hotel.server.told == ["accept"]


async def shown(client: httpx.AsyncClient, where: str) -> list[Json]:
    """The cards of the conversation as they are now."""
    page = (await client.post("/chatkit", json=items(where))).json()
    return [each for each in page["data"] if each["type"] == "widget"]
