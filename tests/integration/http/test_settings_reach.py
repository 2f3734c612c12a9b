"""Settings reach what they are for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from agents import Agent, RunContextWrapper, function_tool, set_trace_processors
from agents.items import TResponseStreamEvent
from agents.models.interface import ModelTracing
from dependency_injector.providers import Object

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from chatbridge.host import Host
from chatbridge.settings import Settings
from tests.chatkit_client import add, create, events, items, retry, say, text_of
from tests.integration.http.asking import require_refused, somebody
from tests.serving import Served, served, settings_for
from tests.unit.adapters.jwt.signers import AUDIENCE, ISSUER, SECRET, USER, good_claims, hs256


class AskedModel(OfflineModel):
    """The offline model, which notes how it was asked."""

    def __init__(self) -> None:
        super().__init__(delay=0)
        self.instructions: list[str | None] = []
        self.traced: list[bool] = []

    async def stream_response(
        self, system_instructions: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        self.instructions.append(system_instructions)
        self.traced += [not a.is_disabled() for a in args if isinstance(a, ModelTracing)]
        self.traced += [not a.is_disabled() for a in kwargs.values() if isinstance(a, ModelTracing)]
        async for event in super().stream_response(system_instructions, *args, **kwargs):
            yield event


async def answered(here: Served, message: str, user: str = "", **headers: str) -> dict[str, Any]:
    """A whole turn."""
    user, body = user or somebody(), {"message": message}
    answer = await here.as_user(user).post(f"/api/{user}/chat", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def asked(headers: dict[str, str] | None = None, **agent: Any) -> AskedModel:
    """A model that was asked once by a service with these settings of its agent."""
    model = AskedModel()

    async def nothing() -> None: ...

    def override(container: Container) -> None:
        container.endpoint.override(Object(Endpoint(model, nothing)))

    async with served(settings_for("memory:", agent=agent), override) as here:
        assert (await answered(here, "hello", **(headers or {})))["state"] == "completed"
    return model


async def test_the_model_is_told_the_instructions() -> None:
    (told,) = (await asked(instructions="Speak like a pirate.")).instructions
    assert str(told).startswith("Speak like a pirate.\n\nToday is ")


async def test_the_model_is_told_the_day_in_the_zone_that_the_page_gives() -> None:
    (told,) = (await asked({"X-Chatbridge-Time-Zone": "Pacific/Kiritimati"})).instructions
    assert str(told).endswith("(Pacific/Kiritimati).")


@pytest.mark.parametrize("tracing", [True, False])
async def test_nothing_is_traced_unless_it_is_wanted(tracing: bool) -> None:
    # nothing may leave this machine
    set_trace_processors([])
    assert (await asked(tracing=tracing)).traced == [tracing]


async def test_a_model_speaks_no_more_often_than_it_may() -> None:
    async with served(settings_for("memory:", agent={"max_steps": 1})) as here:
        turn = await answered(here, "add tea")
        assert (turn["state"], turn["error"]["code"]) == ("failed", "too_many_steps")
        assert (await answered(here, "hello"))["state"] == "completed"


async def test_the_bundled_tools_are_called_where_they_are_said_to_be() -> None:
    user = somebody()
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(served(settings_for("memory:")))
        mcp = {"tasks_url": f"{there.url}/mcp/tasks"}
        here = await stack.enter_async_context(served(settings_for("memory:", mcp=mcp)))
        await answered(here, "add tea", user)
        kept = [
            (await service.as_user(user).get(f"/api/{user}/tasks")).json()["items"]
            for service in (there, here)
        ]
    assert [[task["title"] for task in tasks] for tasks in kept] == [["tea"], []]


@pytest.mark.parametrize("on_busy", ["reject", "interrupt"])
async def test_a_second_message_finds_what_is_set(on_busy: str) -> None:
    settings = settings_for("memory:", turns={"on_busy": on_busy, "drain": 0})
    async with served(settings) as here:
        user = somebody()
        client = here.as_user(user)
        slow = create("rehearse a slow tool for 20 seconds")
        async with asyncio.timeout(15), client.stream("POST", "/chatkit", json=slow) as first:
            id = first.headers["x-conversation-id"]
            second = await client.post("/chatkit", json=add(id, "hello"))
            if on_busy == "reject":
                require_refused(second, 409, "turn_running")
            else:
                assert second.status_code == 200
                assert [event async for event in events(first)], "it has come to its end"


async def test_a_message_chooses_the_model_and_the_tool_of_what_is_offered() -> None:
    quick = {"label": "Quick answers", "model": "quick-1", "instructions": "Be brief."}
    agent = {"models": {"quick": quick}, "tool_choices": "add_task", "instructions": "Help."}
    usual, chosen, asked = AskedModel(), AskedModel(), list[str]()

    async def nothing() -> None: ...

    def named(name: str) -> AskedModel:
        asked.append(name)
        return chosen

    def override(container: Container) -> None:
        container.endpoint.override(Object(Endpoint(usual, nothing, named)))

    async with served(settings_for("memory:", agent=agent), override) as here:
        client = here.as_user(somebody())
        with_both = create("oat milk")
        with_both["params"]["input"]["inference_options"] = {
            "model": "quick",
            "tool_choice": {"id": "add_task"},
        }
        menus = (await client.get("/chatkit/menus")).json()
        assert menus == {
            "models": [{"id": "quick", "label": "Quick answers", "default": False}],
            "tools": [{"id": "add_task", "label": "Add task", "icon": "bolt"}],
            "dictation": {"enabled": False},
        }
        id, _ = await say(client, with_both)
        kept = (await client.post("/chatkit", json=items(id))).json()["data"]
        assert kept[0]["inference_options"] == with_both["params"]["input"]["inference_options"]
        assert [item["type"] for item in kept] == ["user_message", "widget", "assistant_message"]
        assert "oat milk" in text_of(kept[-1])
        assert (asked, usual.instructions) == (["quick-1"], [])
        assert all(str(told).startswith("Help.\n\nBe brief.") for told in chosen.instructions)
        # the same again has chosen the same, and the next message has not
        await say(client, retry(id, kept[0]["id"]))
        before = len(chosen.instructions)
        await say(client, add(id, "hello"))
        assert (len(chosen.instructions), len(usual.instructions)) == (before, 1)
        for other, offered in [
            ({"model": "large"}, "one of these: `quick` (Quick answers)."),
            ({"tool_choice": {"id": "list_tasks"}}, "one of these: `add_task`."),
        ]:
            with_both["params"]["input"]["inference_options"] = other
            answer = await client.post("/chatkit", json=with_both)
            code = "model_not_offered" if "model" in other else "tool_not_offered"
            require_refused(answer, 422, code)
            assert offered in answer.json()["detail"]


async def test_a_tool_finds_the_chosen_claims_of_the_token() -> None:
    @function_tool
    def plan_of(context: RunContextWrapper[Any]) -> str:
        return str(dict(context.context.claims))

    sign_in = {"secret": SECRET.decode(), "issuer": ISSUER, "audience": AUDIENCE}
    settings = settings_for("memory:", auth={**sign_in, "claims": "plan"})
    host = Host(agent=Agent(name="Host", tools=[plan_of]))
    async with served(settings, lambda c: c.host.override(Object(host))) as here:
        client = here.as_user(None)
        token = hs256(SECRET).token(good_claims(plan="pro", email="ada@example.com"))
        client.headers["Authorization"] = f"Bearer {token}"
        turn = (await client.post(f"/api/{USER}/chat", json={"message": "plan_of me"})).json()
    assert turn["messages"][-1]["content"] == "`plan_of` has answered: {'plan': 'pro'}"


def test_the_pool_has_the_size_that_is_set() -> None:
    url = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"
    settings = Settings(_env_file=None, database={"url": url, "pool_size": 3})
    assert Container(settings=settings).store().engine.pool.size() == 3
